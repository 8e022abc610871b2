"""Lowers run-time scales: products of two tensors or by a constant of every position, and means of magnitudes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.numerics.pieces import Pieces
from tinsmith.numerics.roles import ACTIVATIONS, channel_axis
from tinsmith.numerics.thresholds import Reals
from tinsmith.passes.lowering.builder import Builder, fields, place
from tinsmith.passes.lowering.pieces import composed
from tinsmith.passes.lowering.qdq import Group, constant, shape_of, stored_name
from tinsmith.passes.lowering.weighted import bias_steps


@dataclass(frozen=True)
class _Factors:
    """The operands of a product: names of the tensors, a constant in place of the second, and scale times scale."""

    inputs: tuple[str, ...]
    constant: exact.Int8Array | None
    unit: float


def lower_multiply(builder: Builder, group: Group, node: ir.Node) -> None:
    """Mul(a, b), the per-channel arithmetic behind it, and an activation or a Binarize."""
    axis = channel_axis(node.outputs[0])
    channels = shape_of(node.outputs[0])[axis]
    factors = _factors(builder, node)
    line = _behind(group, channels)
    unit, bias = factors.unit * line.slope[0], line.offset[0]

    def make(steps: exact.Int32Array, ending: exact.Ending) -> exact.Layer:
        given = fields(group, *factors.inputs)
        return exact.Multiply(**given, axis=axis, factor=factors.constant, bias=steps, ending=ending)

    if group.makes_bits:
        nothing = np.zeros(channels, np.int32)
        builder.add_thresholded(lambda ending: make(nothing, ending), group, unit, bias)
        return
    steps = bias_steps(builder, bias, unit, place(group.name, group.source, "Multiply"))
    builder.add_requantized(lambda ending: make(steps, ending), group, unit / group.output.scale)


def _behind(group: Group, channels: int) -> Pieces:
    """The arithmetic behind the product, as one straight line a channel."""
    stop = (*ACTIVATIONS, "Binarize")
    return composed([node for node in group.nodes[1:] if node.op_type not in stop], channels)


def _factors(builder: Builder, node: ir.Node) -> _Factors:
    a, b = builder.tensors[stored_name(node.inputs[0])], node.inputs[1]
    if b is None or b.const_value is None:
        other = builder.tensors[stored_name(b)]
        return _Factors((a.name, other.name), None, a.scale * other.scale)
    real = constant(b).astype(np.float64)
    scale = float(np.abs(real).max()) / 127 or 1.0
    steps = np.rint(real / scale).astype(np.int8)
    return _Factors((a.name,), steps.reshape((1,) * (len(a.shape) - steps.ndim) + steps.shape), a.scale * scale)


def lower_magnitude(builder: Builder, group: Group, node: ir.Node) -> None:
    """ReduceMean(Abs(x)); one over the number of elements is in the multiplier."""
    x = builder.tensors[stored_name(node.inputs[0])]
    axes = tuple(sorted(int(axis) % len(x.shape) for axis in constant(group.nodes[1].inputs[1]).reshape(-1)))
    count = int(np.prod([x.shape[axis] for axis in axes]))
    ratio: Reals = np.array([x.scale / (count * group.output.scale)])
    builder.add_requantized(
        lambda requant: exact.AbsoluteSum(**fields(group, x.name), axes=axes, requant=requant), group, ratio
    )
