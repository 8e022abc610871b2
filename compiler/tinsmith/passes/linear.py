"""Layers that compute product(x, weight) + bias, and how one number a channel is worked into them.

Conv and Gemm take it into their weights; the trained layers, whose weights are ±1 or powers of two, into `scale`.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.provenance import layer_name
from tinsmith.ir.trained import CONVOLUTIONS, LAYERS, is_trained
from tinsmith.numerics.lattice import lattice_scales
from tinsmith.passes.affine import Affine
from tinsmith.passes.rewrite import Array, add_constant, constant_of, shape_of


def is_linear(node: ir.Node | None) -> bool:
    """Whether `node` is a layer with weights."""
    return node is not None and (node.op_type in ("Conv", "Gemm") or is_trained(node, *LAYERS))


def is_convolution(node: ir.Node) -> bool:
    """Whether a layer's channels are axis 1; those of a product are the last."""
    return node.op_type == "Conv" or is_trained(node, *CONVOLUTIONS)


def output_axis(node: ir.Node) -> int:
    """The axis of a layer's output that its channels are."""
    return 1 if is_convolution(node) else len(shape_of(node.outputs[0])) - 1


def scale_output(node: ir.Node, graph: ir.Graph, affine: Affine) -> None:
    """Make a layer give `affine` of what it gave."""
    if is_trained(node):
        factor, bias = (np.asarray(constant_of(node, i), np.float64) for i in (2, 3))
        scale, shift = affine.vectors(len(factor))
        _set_constants(node, graph, {2: ("scale", factor * scale), 3: ("bias", bias * scale + shift)})
        return
    weight, bias = _weights(node)
    scale, shift = affine.vectors(weight.shape[0 if node.op_type == "Conv" else 1])
    shaped = scale.reshape(-1, 1, 1, 1) if node.op_type == "Conv" else scale
    _set_constants(node, graph, {1: ("weight", weight * shaped), 2: ("bias", bias * scale + shift)})


def can_scale_input(node: ir.Node, value: ir.Value, affine: Affine) -> bool:
    """Whether a layer can read x where it reads `value`, which is `affine` of x, and give the same."""
    if not is_linear(node) or node.inputs[0] is not value or sum(v is value for v in node.inputs) != 1:
        return False
    padded = is_convolution(node) and any(node.attributes["pads"].as_ints())
    if is_trained(node):
        pad_value = node.attributes.get_int("pad_value", 0) if padded else 0
        return affine.axis is None and not np.any(affine.shift) and pad_value == 0
    return not (padded and np.any(affine.shift)) and _stays_on_lattice(node, affine)


def scale_input(node: ir.Node, graph: ir.Graph, affine: Affine) -> None:
    """Work `affine` into a layer that reads it, so that the layer may read its input instead."""
    if is_trained(node):
        factor = np.asarray(constant_of(node, 2), np.float64)
        _set_constants(node, graph, {2: ("scale", factor * affine.scale)})
        return
    weight, bias = _weights(node)
    scaled = weight * _by_input(node, weight, affine.scale)
    shift = weight * _by_input(node, weight, affine.shift)
    added = shift.sum((1, 2, 3)) if node.op_type == "Conv" else shift.sum(0)
    _set_constants(node, graph, {1: ("weight", scaled), 2: ("bias", bias + added)})


def _stays_on_lattice(node: ir.Node, affine: Affine) -> bool:
    """Weights that are whole multiples of one step a channel, as somebody trained them, are to stay so."""
    if affine.axis is None:
        return True
    weight, _ = _weights(node)
    scaled = weight * _by_input(node, weight, affine.scale)
    before, after = (lattice_scales(w if node.op_type == "Conv" else w.T) for w in (weight, scaled))
    return bool((np.isnan(before) | ~np.isnan(after)).all())


def _by_input(node: ir.Node, weight: Array, values: Array) -> Array:
    """One number an input channel, or one for all, arranged as the weight reads them."""
    if node.op_type == "Gemm":
        return np.broadcast_to(values, (weight.shape[0],))[:, None]
    group = node.attributes["group"].as_int()
    channels = np.broadcast_to(values, (weight.shape[1] * group,))
    return np.repeat(channels.reshape(group, -1), weight.shape[0] // group, axis=0)[:, :, None, None]


def _weights(node: ir.Node) -> tuple[Array, Array]:
    weight, bias = constant_of(node, 1), constant_of(node, 2)
    if weight is None:
        raise ValueError(f"the weight of {node.name!r} is not constant")
    columns = weight.shape[0 if node.op_type == "Conv" else 1]
    return weight.astype(np.float64), np.zeros(columns) if bias is None else bias.astype(np.float64)


def _set_constants(node: ir.Node, graph: ir.Graph, arrays: dict[int, tuple[str, Array]]) -> None:
    node.resize_inputs(max(len(node.inputs), *(i + 1 for i in arrays)))
    for i, (kind, array) in arrays.items():
        node.replace_input_with(i, add_constant(graph, f"{layer_name(node)}.{kind}", array))
