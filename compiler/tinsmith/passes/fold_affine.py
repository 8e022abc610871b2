"""Folds `scale * x + shift`, one number a channel, into a neighbouring Conv or Gemm, or makes it a depthwise Conv."""

from __future__ import annotations

from math import prod

import onnx_ir as ir

from tinsmith.constraints.geometry import as_image
from tinsmith.ir.bits import flips_signs, is_bit
from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.passes.affine import Affine, affine_of
from tinsmith.passes.linear import can_scale_input, is_linear, output_axis, scale_input, scale_output
from tinsmith.passes.rewrite import (
    RewritePass,
    add_constant,
    bypass,
    input_of,
    new_node,
    new_reshape,
    only_consumer,
    replace,
    shape_of,
)


class FoldAffine(RewritePass):
    """BatchNormalization, and Add, Sub, Mul and Div by a constant.

    First choice: the layer before (passes/linear.py), if nobody else reads it. Second: all layers behind, which can
    take a shift only where they do not pad. Else: a depthwise 1×1 Conv.
    """

    name = "fold-affine"
    ops = ("BatchNormalization", "Add", "Sub", "Mul", "Div")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Fold or replace `node`, unless it adds two computed values."""
        affine = affine_of(node)
        if affine is None or (flips_signs(node) and is_bit(affine.x)):
            return False  # signs of bits belong to the pool between them (binarize-early)
        if _into_producer(node, graph, affine) or _into_consumers(node, graph, affine):
            return True
        if flips_signs(node):
            return False  # in front of a Binarize that nothing before it takes in
        _to_depthwise(node, graph, affine)
        return True


def _into_producer(node: ir.Node, graph: ir.Graph, affine: Affine) -> bool:
    producer = affine.x.producer()
    if producer is None or only_consumer(affine.x) is not node:
        return False
    last = len(shape_of(affine.x)) - 1
    if producer.op_type == "Reshape" and affine.varies_along(last) and _behind_gemm(producer):
        producer = input_of(producer).producer()  # x @ w + b of more than two dimensions
    elif not is_linear(producer) or not affine.varies_along(output_axis(producer)):
        return False
    if producer is None:
        return False
    scale_output(producer, graph, affine)
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
    if not all(can_scale_input(reader, y, affine) for reader in readers):
        return False
    for reader in readers:
        scale_input(reader, graph, affine)
        reader.replace_input_with(0, affine.x)
        inherit(reader, reader, node)
    graph.remove(node, safe=True)
    return True


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
