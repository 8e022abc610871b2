"""Moves a Pad's zeros into the padding of what follows."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.passes.rewrite import (
    RewritePass,
    add_constant,
    constant_of,
    input_of,
    ints_of,
    new_node,
    replace,
    shape_of,
)


class FoldPads(RewritePass):
    """Zeros around height and width go into every Conv and AveragePool that follows; else a 1×1 Conv adds them.

    Runs after `explicit-windows`, so that padding is written out, and after `slices-to-conv`, which takes padding of
    channels.
    """

    name = "fold-pads"
    ops = ("Pad",)

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node`, which pads height and width of (1, C, H, W) only."""
        x, y = input_of(node), node.outputs[0]
        _, _, top, left, _, _, bottom, right = padding(node)
        pads = (top, left, bottom, right)
        readers = [use.node for use in y.uses()]
        if y.is_graph_output() or not all(_can_take(reader, y, pads) for reader in readers):
            replace(node, [_padding_conv(node, graph, x, pads)])
            return True
        for reader in readers:
            reader.attributes["pads"] = ir.AttrInt64s("pads", _sum(reader, pads))
            reader.replace_input_with(0, x)
            inherit(reader, reader, node)
        graph.remove(node, safe=True)
        return True


def padding(node: ir.Node) -> list[int]:
    """Zeros before each of the four axes, then after each."""
    amounts, axes = ints_of(node, "pads", 1) or (), ints_of(node, "axes", 3) or (0, 1, 2, 3)
    pads = [0] * 8
    for i, axis in enumerate(axes):
        pads[axis % 4] = amounts[i]
        pads[axis % 4 + 4] = amounts[i + len(axes)]
    return pads


def _sum(reader: ir.Node, pads: tuple[int, ...]) -> list[int]:
    return [a + b for a, b in zip(reader.attributes["pads"].as_ints(), pads, strict=True)]


def _can_take(reader: ir.Node, y: ir.Value, pads: tuple[int, ...]) -> bool:
    if reader.inputs[0] is not y or sum(v is y for v in reader.inputs) != 1:
        return False
    if reader.op_type == "AveragePool":
        kernel = reader.attributes["kernel_shape"].as_ints()
        return all(p < kernel[i % 2] for i, p in enumerate(_sum(reader, pads)))
    return reader.op_type == "Conv" and constant_of(reader, 1) is not None


def _padding_conv(node: ir.Node, graph: ir.Graph, x: ir.Value, pads: tuple[int, ...]) -> ir.Node:
    channels = shape_of(x)[1]
    name = layer_name(node)
    weight = add_constant(graph, f"{name}.weight", np.ones((channels, 1, 1, 1)))
    bias = add_constant(graph, f"{name}.bias", np.zeros(channels))
    attributes = {"kernel_shape": (1, 1), "strides": (1, 1), "pads": pads, "dilations": (1, 1), "group": channels}
    return new_node("Conv", [x, weight, bias], shape_of(node.outputs[0]), [node], attributes)
