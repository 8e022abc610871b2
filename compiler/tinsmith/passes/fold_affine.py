"""Folds `scale * x + shift`, one number a channel, into a neighbouring Conv or Gemm, or makes it a depthwise Conv."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx_ir as ir

from tinsmith.constraints.geometry import as_image
from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.passes.affine import Affine, affine_of
from tinsmith.passes.rewrite import (
    Array,
    RewritePass,
    add_constant,
    bypass,
    constant_of,
    input_of,
    new_node,
    new_reshape,
    only_consumer,
    replace,
    shape_of,
)


class FoldAffine(RewritePass):
    """BatchNormalization, and Add, Sub, Mul and Div by a constant.

    First choice: the Conv or Gemm before, if nobody else reads it. Second: all Convs and Gemms behind, which can take
    a shift only where they do not pad. Else: a depthwise 1×1 Conv.
    """

    name = "fold-affine"
    ops = ("BatchNormalization", "Add", "Sub", "Mul", "Div")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Fold or replace `node`, unless it adds two computed values."""
        affine = affine_of(node)
        if affine is None:
            return False
        if not (_into_producer(node, graph, affine) or _into_consumers(node, graph, affine)):
            _to_depthwise(node, graph, affine)
        return True


def _into_producer(node: ir.Node, graph: ir.Graph, affine: Affine) -> bool:
    producer = affine.x.producer()
    if producer is None or only_consumer(affine.x) is not node:
        return False
    last = len(shape_of(affine.x)) - 1
    if producer.op_type == "Reshape" and affine.varies_along(last) and _behind_gemm(producer):
        producer = input_of(producer).producer()  # x @ w + b of more than two dimensions
    elif not affine.varies_along(1):
        return False
    if producer is None or producer.op_type not in ("Conv", "Gemm") or len(shape_of(producer.outputs[0])) not in (2, 4):
        return False
    weight, bias = _weights(producer)
    channels = weight.shape[0 if producer.op_type == "Conv" else 1]
    scale, shift = affine.vectors(channels)
    shaped = scale.reshape(-1, 1, 1, 1) if producer.op_type == "Conv" else scale
    _set_weights(producer, graph, weight * shaped, bias * scale + shift)
    inherit(producer, producer, node)
    node.replace_input_with(0, affine.x)
    return bypass(node)


def _behind_gemm(reshape: ir.Node) -> bool:
    """Whether a Reshape only regroups the rows of a Gemm's result that nobody else reads."""
    before = input_of(reshape)
    producer = before.producer()
    gemm = producer is not None and producer.op_type == "Gemm" and only_consumer(before) is reshape
    return gemm and shape_of(before)[-1] == shape_of(reshape.outputs[0])[-1]


def _into_consumers(node: ir.Node, graph: ir.Graph, affine: Affine) -> bool:
    y = node.outputs[0]
    readers = [use.node for use in y.uses()]
    if y.is_graph_output() or not readers or not affine.varies_along(1):
        return False
    if not all(_can_take(reader, y, affine) for reader in readers):
        return False
    for reader in readers:
        weight, bias = _weights(reader)
        if reader.op_type == "Gemm":
            scale, shift = affine.vectors(weight.shape[0])
            _set_weights(reader, graph, weight * scale[:, None], bias + shift @ weight)
        else:
            scale, shift = (_by_group(v, weight, reader) for v in affine.vectors(shape_of(y)[1]))
            _set_weights(reader, graph, weight * scale, bias + (weight * shift).sum((1, 2, 3)))
        reader.replace_input_with(0, affine.x)
        inherit(reader, reader, node)
    graph.remove(node, safe=True)
    return True


def _can_take(reader: ir.Node, y: ir.Value, affine: Affine) -> bool:
    if reader.op_type not in ("Conv", "Gemm") or reader.inputs[0] is not y or sum(v is y for v in reader.inputs) != 1:
        return False
    padded = reader.op_type == "Conv" and any(reader.attributes["pads"].as_ints())
    return not (padded and np.any(affine.shift))


def _by_group(values: Array, weight: Array, conv: ir.Node) -> Array:
    """One number an input channel, arranged as the weight (O, I / group, kh, kw) reads them."""
    group = conv.attributes["group"].as_int()
    return np.repeat(values.reshape(group, -1), weight.shape[0] // group, axis=0)[:, :, None, None]


def _weights(node: ir.Node) -> tuple[Array, Array]:
    weight, bias = constant_of(node, 1), constant_of(node, 2)
    if weight is None:
        raise ValueError(f"the weight of {node.name!r} is not constant")
    columns = weight.shape[0 if node.op_type == "Conv" else 1]
    return weight.astype(np.float64), np.zeros(columns) if bias is None else bias.astype(np.float64)


def _set_weights(node: ir.Node, graph: ir.Graph, weight: Array, bias: Array) -> None:
    name = layer_name(node)
    node.resize_inputs(3)
    node.replace_input_with(1, add_constant(graph, f"{name}.weight", weight))
    node.replace_input_with(2, add_constant(graph, f"{name}.bias", bias))


def _to_depthwise(node: ir.Node, graph: ir.Graph, affine: Affine) -> None:
    x, shape, name = affine.x, shape_of(affine.x), layer_name(node)
    if len(shape) == 4 and shape[0] == 1 and affine.varies_along(1):
        image = shape
    elif affine.axis is None:
        image = (1, 1, prod(shape), 1)
    else:
        image = as_image(shape, affine.axis)
    channels, new = image[1], []
    if image != shape:
        new.append(new_reshape(graph, x, image, [node], "image"))
        x = new[0].outputs[0]
    scale, shift = affine.vectors(channels)
    weight = add_constant(graph, f"{name}.weight", scale.reshape(-1, 1, 1, 1))
    bias = add_constant(graph, f"{name}.bias", shift)
    attributes = {
        "kernel_shape": (1, 1),
        "strides": (1, 1),
        "pads": (0, 0, 0, 0),
        "dilations": (1, 1),
        "group": channels,
    }
    new.append(new_node("Conv", [x, weight, bias], image, [node], attributes))
    if image != shape:
        new.append(new_reshape(graph, new[-1].outputs[0], shape, [node], "reshape"))
    replace(node, new)
