"""Makes nodes of the domain `ai.tinsmith.trained`, with the type and shape of what they compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx_ir as ir

from tinsmith.ir.domain import TRAINED_DOMAIN
from tinsmith.ir.shapes import window_count

Ints = Sequence[int]


def trained_node(
    op: str, inputs: Sequence[ir.Value], shape: Ints, attributes: Mapping[str, int | Ints] | None = None
) -> ir.Node:
    """A node with one float32 output of `shape`, without a name."""
    made = [
        ir.AttrInt64(key, value) if isinstance(value, int) else ir.AttrInt64s(key, tuple(value))
        for key, value in (attributes or {}).items()
    ]
    output = ir.Value(shape=ir.Shape(shape), type=ir.TensorType(ir.DataType.FLOAT))
    return ir.Node(TRAINED_DOMAIN, op, inputs, made, outputs=[output])


def sizes(value: ir.Value) -> tuple[int, ...]:
    """The static shape of a value."""
    if value.shape is None or not value.shape.is_static():
        raise ValueError(f"value {value.name!r} has no static shape")
    return tuple(int(d) for d in value.shape.numpy())


def convolved(x: ir.Value, weight: ir.Value, strides: Ints, pads: Ints, dilations: Ints) -> tuple[int, ...]:
    """Shape of a convolution of any number of spatial axes; pads are all the begins, then all the ends."""
    batch, _, *space = sizes(x)
    out, _, *kernel = sizes(weight)
    ends = len(space)
    counts = (
        window_count(size, kernel[i], strides[i], pads[i] + pads[i + ends], dilations[i])
        for i, size in enumerate(space)
    )
    return (batch, out, *counts)
