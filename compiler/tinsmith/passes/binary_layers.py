"""Makes a Conv or Gemm of ±1 by ±a, one a each output channel, a binary layer."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.bits import is_bit
from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.ir.trained.binary_conv import binary_conv
from tinsmith.ir.trained.binary_gemm import binary_gemm
from tinsmith.passes.rewrite import Array, RewritePass, add_constant, constant_of, input_of, replace


class BinaryLayers(RewritePass):
    """What networks leave behind that were trained elsewhere: weights of one size a channel, as real numbers."""

    name = "binary-layers"
    ops = ("Conv", "Gemm")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` if its input is bits and its weights are signs; depthwise and grouped layers stay."""
        weight = constant_of(node, 1)
        dense = node.op_type == "Gemm" or node.attributes["group"].as_int() == 1
        if weight is None or not dense or not is_bit(input_of(node)):
            return False
        scale = _one_size(weight if node.op_type == "Conv" else weight.T)
        if scale is None:
            return False
        name = layer_name(node)
        signs = add_constant(graph, f"{name}.signs", np.where(weight < 0, -1, 1), np.int8)
        inputs = (input_of(node), signs, add_constant(graph, f"{name}.scale", scale), input_of(node, 2))
        if node.op_type == "Gemm":
            new = binary_gemm(*inputs)
        else:
            strides, pads, dilations = (node.attributes[n].as_ints() for n in ("strides", "pads", "dilations"))
            new = binary_conv(*inputs, strides=strides, pads=pads, dilations=dilations, pad_value=0)
        inherit(new, node)
        replace(node, [new])
        return True


def _one_size(weight: Array) -> Array | None:
    """The size that all weights of each channel (channels, …) have; None where any channel's differ."""
    size = np.abs(weight.reshape(len(weight), -1))
    return size[:, 0] if (size == size[:, :1]).all() else None
