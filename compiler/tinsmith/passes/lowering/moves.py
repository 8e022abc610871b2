"""Lowers what moves stored values without changing them: Concat, Reshape, Transpose."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.passes.lowering.builder import Builder, fields
from tinsmith.passes.lowering.qdq import Group, stored_name


def moved(builder: Builder, group: Group, layer: exact.Layer) -> exact.Tensor:
    """The output tensor of a layer that moves values; its grid must be its inputs'."""
    y = group.output
    for name in layer.inputs:
        x = builder.tensors[name]
        if (x.dtype, x.scale, x.zero_point) != (y.dtype, y.scale, y.zero_point):
            raise ValueError(f"{layer.kind} {layer.name!r} moves {x.name!r} to {y.name!r} of another grid")
    return y


def lower_concat(builder: Builder, group: Group, node: ir.Node) -> None:
    """Concat of tensors of one grid."""
    names = [stored_name(value) for value in node.inputs]
    rank = len(group.output.shape)
    layer = exact.Concat(**fields(group, *names), axis=node.attributes.get_int("axis", 0) % rank)
    builder.add(layer, moved(builder, group, layer))


def lower_reshape(builder: Builder, group: Group, node: ir.Node) -> None:
    """Reshape to the static shape of its output."""
    layer = exact.Reshape(**fields(group, stored_name(node.inputs[0])))
    builder.add(layer, moved(builder, group, layer))


def lower_transpose(builder: Builder, group: Group, node: ir.Node) -> None:
    """Transpose; without `perm` it reverses the axes, as ONNX says."""
    rank = len(group.output.shape)
    perm = tuple(node.attributes.get_ints("perm", tuple(reversed(range(rank)))))
    layer = exact.Transpose(**fields(group, stored_name(node.inputs[0])), perm=perm)
    builder.add(layer, moved(builder, group, layer))
