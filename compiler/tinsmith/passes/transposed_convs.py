"""Makes a transposed convolution a convolution with channels for each phase of its stride, and interleaves these."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import onnx_ir as ir

from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.passes.affine import Affine, affine_of
from tinsmith.passes.fold_affine import FoldAffine
from tinsmith.passes.phases import Phases, kernels, spread
from tinsmith.passes.rewrite import (
    Array,
    RewritePass,
    add_constant,
    attributes_of,
    bypass,
    constant_of,
    input_of,
    new_node,
    new_reshape,
    only_consumer,
    replace,
    shape_of,
)

ACTIVATIONS = ("Relu", "Clip", "LeakyRelu")


class TransposedConvs(RewritePass):
    """ConvTranspose becomes a Conv with channels for each phase of its stride, then Reshape, Transpose, Reshape.

    Channels are ordered (group, phase, channel): where memory has channels last, interleaving along one axis moves
    nothing. What follows and works value by value goes before the moves, so that the convolution can absorb it. Only a
    stride that does not divide the output's size needs a second Conv, which crops.
    """

    name = "transposed-convs"
    ops = ("ConvTranspose",)

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node`; nothing stays as it was."""
        attributes, x = attributes_of(node), input_of(node)
        size, wanted = shape_of(x)[2:], shape_of(node.outputs[0])[2:]
        rank, group = len(size), attributes.get("group", 1)
        strides = tuple(attributes.get("strides", (1,) * rank))
        weight, bias = _with_affine(node, graph)
        weight = spread(weight, attributes.get("dilations", (1,) * rank))
        crops = attributes.get("pads", (0,) * 2 * rank)[:rank]
        axes = [Phases.of(*n) for n in zip(size, wanted, weight.shape[2:], strides, crops, strict=True)]
        phases = np.repeat(bias.reshape(group, 1, -1), prod(strides), axis=1).reshape(-1)
        new = [_conv(graph, x, [node], kernels(weight, group, axes), phases, axes, group)]
        last = only_consumer(node.outputs[0])
        if last is None or last.op_type not in ACTIVATIONS:
            last = node
        else:
            new.append(_activation(last, new[0].outputs[0]))
        new += _interleaved(graph, new[-1].outputs[0], node, group, strides)
        if shape_of(new[-1].outputs[0])[2:] != wanted:
            new.append(_cropped(graph, new[-1].outputs[0], node, wanted))
        replace(last, new)
        if last is not node:
            graph.remove(node, safe=True)
        return True


def _with_affine(node: ir.Node, graph: ir.Graph) -> tuple[Array, Array]:
    """Weight (I, O / group, …) and bias (O,), with the scales and shifts that alone follow worked in."""
    weight, given = (constant_of(node, i) for i in (1, 2))
    if weight is None:
        raise ValueError(f"the weight of {node.name!r} is not constant")
    group = node.attributes.get_int("group", 1)
    weight = weight.astype(np.float64)
    bias = np.zeros(weight.shape[1] * group) if given is None else given.astype(np.float64)
    while (affine := _affine_behind(node)) is not None:
        scale, shift = affine.vectors(len(bias))
        grouped = weight.reshape(group, -1, *weight.shape[1:])
        shaped = scale.reshape(group, 1, -1, *[1] * (weight.ndim - 2))
        weight, bias = (grouped * shaped).reshape(weight.shape), bias * scale + shift
    return weight, bias


def _affine_behind(node: ir.Node) -> Affine | None:
    """The scale and shift a channel of the one node that reads `node`, which is taken out of the graph."""
    y = node.outputs[0]
    reader = only_consumer(y)
    affine = affine_of(reader) if reader is not None and reader.op_type in FoldAffine.ops else None
    if reader is None or affine is None or not affine.varies_along(1):
        return None
    inherit(node, node, reader)
    reader.replace_input_with(0, y)
    bypass(reader)
    return affine


def _conv(
    graph: ir.Graph, x: ir.Value, old: Sequence[ir.Node], weight: Array, bias: Array, axes: Sequence[Phases], group: int
) -> ir.Node:
    rank, name = len(axes), layer_name(old[0])
    inputs = [x, add_constant(graph, f"{name}.weight", weight), add_constant(graph, f"{name}.bias", bias)]
    attributes = {
        "kernel_shape": weight.shape[2:],
        "strides": (1,) * rank,
        "pads": (*(axis.pads[0] for axis in axes), *(axis.pads[1] for axis in axes)),
        "dilations": (1,) * rank,
        "group": group,
    }
    return new_node("Conv", inputs, (1, len(weight), *(axis.count for axis in axes)), old, attributes)


def _activation(old: ir.Node, x: ir.Value) -> ir.Node:
    return new_node(old.op_type, [x, *old.inputs[1:]], shape_of(x), [old], attributes_of(old))


def _interleaved(graph: ir.Graph, x: ir.Value, node: ir.Node, group: int, strides: tuple[int, ...]) -> list[ir.Node]:
    """(1, group * phases * C, Q, …) to (1, group * C, Q * stride, …)."""
    if prod(strides) == 1:
        return []
    rank, places = len(strides), shape_of(x)[2:]
    channels = shape_of(x)[1] // (group * prod(strides))
    sizes = (1, group, *strides, channels, *places)
    pairs = [axis for i in range(rank) for axis in (3 + rank + i, 2 + i)]
    kept = [axis for axis, size in enumerate(sizes) if size > 1 or axis == 0]
    perm = [kept.index(axis) for axis in (0, 1, 2 + rank, *pairs) if axis in kept]
    apart = new_reshape(graph, x, [sizes[axis] for axis in kept], [node], "phases")
    moved = new_node(
        "Transpose",
        [apart.outputs[0]],
        [sizes[kept[axis]] for axis in perm],
        [node],
        {"perm": tuple(perm)},
        part="interleave",
    )
    full = tuple(q * r for q, r in zip(places, strides, strict=True))
    return [apart, moved, new_reshape(graph, moved.outputs[0], (1, group * channels, *full), [node], "joined")]


def _cropped(graph: ir.Graph, x: ir.Value, node: ir.Node, wanted: tuple[int, ...]) -> ir.Node:
    """The first `wanted` places along each axis, by a convolution with a kernel of 1, 0, 0, …"""
    channels, *full = shape_of(x)[1:]
    extent = [have - want + 1 for have, want in zip(full, wanted, strict=True)]
    weight = np.zeros((channels, 1, *extent))
    weight.reshape(channels, -1)[:, 0] = 1
    axes = [Phases(np.zeros((1, 1), int), (0, 0), count) for count in wanted]
    crop = _conv(graph, x, [node], weight, np.zeros(channels), axes, channels)
    inherit(crop, node, part="crop")
    return crop
