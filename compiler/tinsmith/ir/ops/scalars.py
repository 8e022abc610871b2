"""Numbers of operators that treat a whole tensor alike: its zero point, its one multiplier."""

from __future__ import annotations

from tinsmith.ir.exact import Int32Array
from tinsmith.ir.ops.base import ReadContext


def read_zero_point(context: ReadContext) -> int:
    """The attribute `x_zero_point`, after checking it against the input tensor."""
    x = context.activation(0)
    if context.integer("x_zero_point") != x.zero_point:
        raise context.fail(f"x_zero_point must be {x.zero_point}, as the input tensor has it")
    return x.zero_point


def read_multiplier(context: ReadContext) -> Int32Array:
    """The multiplier, shape (1,), of a node with inputs (x, multiplier); checks its `x_zero_point` too."""
    read_zero_point(context)
    multiplier = context.constant(1, "int32", 1)
    if multiplier.shape != (1,):
        raise context.fail(f"{multiplier.size} multipliers stand where one belongs")
    return multiplier
