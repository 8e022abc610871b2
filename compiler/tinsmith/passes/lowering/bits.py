"""Lowers what makes bits of 8-bit values, numbers of bits, and max pools on bits."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.numerics.pieces import Pieces
from tinsmith.numerics.roles import channel_axis, only_reader, varying_axes
from tinsmith.numerics.thresholds import limits
from tinsmith.passes.lowering.builder import Builder, fields
from tinsmith.passes.lowering.pieces import add_pieces, composed
from tinsmith.passes.lowering.pools import pool_fields
from tinsmith.passes.lowering.qdq import Group, per_channel, producer, stored_name


def lower_binarize(builder: Builder, group: Group, node: ir.Node) -> None:
    """An 8-bit tensor to bits, with the per-channel arithmetic that stands before the Binarize.

    factor * x + summand >= threshold becomes sign * (stored - zero_point) >= limit without a rounding, so the bits are
    those of the 8-bit tensor's real values.
    """
    x = builder.tensors[stored_name(node.inputs[0])]
    axis = binarized_axis(group.end)
    channels = x.shape[axis]
    line = composed(group.nodes[:-1], channels)
    factor, summand = line.slope[0], line.offset[0]
    sign = np.where(factor < 0, -1, 1).astype(np.int8)
    ends = np.array([[x.lo - x.zero_point], [x.hi - x.zero_point]], np.int64) * sign
    threshold = per_channel(group.end.inputs[1], channels)
    limit = limits(np.abs(factor) * x.scale, summand, threshold, ends.min(axis=0), ends.max(axis=0))
    builder.add(exact.Binarize(**fields(group, x.name), axis=axis, sign=sign, limit=limit), group.output)


def lower_step(builder: Builder, group: Group, node: ir.Node) -> None:
    """A Binarize whose result is read as a number: a function of two flat pieces."""
    x = builder.tensors[stored_name(node.inputs[0])]
    axis = binarized_axis(node)
    step = Pieces.step(per_channel(node.inputs[1], x.shape[axis]))
    add_pieces(builder, group, x, axis, step)


def binarized_axis(node: ir.Node) -> int:
    """The axis along which the threshold of a Binarize varies; the channels' if it is one number."""
    axes = varying_axes(node.inputs[1], node.outputs[0])
    return axes[0] if axes else channel_axis(node.outputs[0])


def lower_bit_pool(builder: Builder, pool: ir.Node) -> None:
    """MaxPool on bits, between two Muls by the same signs or without."""
    before = producer(pool.inputs[0], "Mul")
    behind = only_reader(pool.outputs[0]) if before is not None else None
    nodes = (pool,) if before is None or behind is None else (before, pool, behind)
    group = Group(nodes, nodes[-1])
    x = builder.tensors[stored_name(nodes[0].inputs[0])]
    sign = np.ones(x.shape[1]) if before is None else per_channel(before.inputs[1], x.shape[1])
    if behind is not None and not np.array_equal(sign, per_channel(behind.inputs[1], x.shape[1])):
        raise ValueError(f"the signs before and behind pool {pool.name!r} differ")
    layer = exact.BinaryMaxPool(**fields(group, x.name), **pool_fields(pool), sign=sign.astype(np.int8))
    builder.add(layer, group.output)
