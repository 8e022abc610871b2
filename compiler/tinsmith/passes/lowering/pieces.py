"""Lowers chains of per-channel arithmetic and PRelu on an 8-bit tensor: one function of two pieces, one rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import onnx_ir as ir

from tinsmith.errors import TinsmithError
from tinsmith.ir import exact
from tinsmith.numerics.pieces import Pieces, choose_pieces
from tinsmith.numerics.roles import channel_axis
from tinsmith.passes.lowering.builder import Builder, fields, place
from tinsmith.passes.lowering.qdq import Group, per_channel, stored_name


def composed(nodes: Sequence[ir.Node], channels: int) -> Pieces:
    """What Add and Mul of a constant and at most one PRelu compute, one behind the other."""
    function = Pieces.identity(channels)
    for node in nodes:
        numbers = per_channel(node.inputs[1], channels)
        if node.op_type == "Add":
            function = function.shifted(numbers)
        elif node.op_type == "Mul":
            function = function.scaled(numbers)
        else:
            function = function.bent(numbers)
    return function


def lower_pieces(builder: Builder, group: Group, node: ir.Node) -> None:
    """A chain that ends in 8 bits, with the activation behind it."""
    x = builder.tensors[stored_name(node.inputs[0])]
    axis = channel_axis(node.outputs[0])
    nodes = [each for each in group.nodes if each is not group.activation]
    add_pieces(builder, group, x, axis, composed(nodes, x.shape[axis]))


def add_pieces(builder: Builder, group: Group, x: exact.Tensor, axis: int, function: Pieces) -> None:
    """Append the PiecewiseLinear that computes `function` on the 8-bit tensor `x`."""
    y, (lo, hi) = group.output, group.clamp()
    where = place(group.name, group.source, "PiecewiseLinear")
    try:
        integers = choose_pieces(function, x, y.scale, where)
    except TinsmithError as error:
        builder.problems.found.extend(error.problems)
        integers = choose_pieces(Pieces.identity(x.shape[axis]), x, x.scale)
    layer = exact.PiecewiseLinear(
        **fields(group, x.name),
        axis=axis,
        knee=integers.knee,
        multiplier=integers.multiplier,
        offset=integers.offset,
        shift=integers.shift,
        zero_point=y.zero_point,
        lo=lo,
        hi=hi,
    )
    builder.add(layer, replace(y, lo=lo, hi=hi))
