"""How weights are stored: in the same signedness as the activations they meet.

onnxruntime saturates products of mixed signedness on x86 processors without VNNI, so a uint8 activation gets weights
stored as uint8 with zero point 128; so does one of 16 bits, whose halves are uint8. Records always hold the true
values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.exact import Int8Array, Tensor
from tinsmith.ir.ops.base import ReadContext


def weight_zero_point(x_dtype: str) -> int:
    """Zero point of stored weights beside an activation of type `x_dtype`."""
    return 0 if x_dtype == "int8" else 128


def zero_points(x: Tensor) -> dict[str, ir.Attr]:
    """The attributes `x_zero_point` and `w_zero_point` of a node that multiplies `x` by weights; none for 16 bits."""
    if x.bits == 16:
        return {}
    numbers = {"x_zero_point": x.zero_point, "w_zero_point": weight_zero_point(x.dtype)}
    return {name: ir.AttrInt64(name, number) for name, number in numbers.items()}


def stored_weight(weight: Int8Array, x_dtype: str) -> npt.NDArray[np.int8] | npt.NDArray[np.uint8]:
    """True int8 weights in the form that the file holds beside an activation of type `x_dtype`."""
    if x_dtype == "int8":
        return weight
    return (weight.astype(np.int16) + 128).astype(np.uint8)


def check_zero_points(context: ReadContext) -> int:
    """The zero point of stored weights, after checking what the node tells of it and of the input tensor's."""
    x = context.activation(0)
    zero = weight_zero_point(x.dtype)
    if x.bits == 16:
        return zero
    if context.integer("x_zero_point") != x.zero_point or context.integer("w_zero_point") != zero:
        raise context.fail(f"x_zero_point must be {x.zero_point} and w_zero_point {zero}, as the input tensor has it")
    return zero


def read_weight(context: ReadContext, rank: int) -> Int8Array:
    """The true weights of a node whose inputs begin (x, w); in [-127, 127]."""
    x, zero = context.activation(0), check_zero_points(context)
    true = context.constant(1, "int8" if x.dtype == "int8" else "uint8", rank).astype(np.int16) - zero
    if true.size and np.abs(true).max() > 127:
        raise context.fail("a weight is outside -127…127")
    return true.astype(np.int8)


def read_signs(context: ReadContext, rank: int) -> Int8Array:
    """The weights of a node whose inputs begin (x, w), both of one bit: -1 and +1 as int8."""
    return require_signs(context, context.constant(1, "int8", rank))


def require_signs(context: ReadContext, values: Int8Array) -> Int8Array:
    """The same values, if there are some and all are -1 or +1."""
    if not values.size or (np.abs(values) != 1).any():
        raise context.fail("a constant holds other numbers than -1 and +1")
    return values
