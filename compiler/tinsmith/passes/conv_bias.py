"""Gives every Conv a bias."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.provenance import layer_name
from tinsmith.passes.rewrite import RewritePass, add_constant, input_of, shape_of


class ConvBias(RewritePass):
    """A Conv without bias gets one of zeros, so that nothing after has two cases."""

    name = "conv-bias"
    ops = ("Conv",)

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Add the third input where it is missing."""
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            return False
        channels = shape_of(input_of(node, 1))[0]
        node.resize_inputs(3)
        node.replace_input_with(2, add_constant(graph, f"{layer_name(node)}.bias", np.zeros(channels)))
        return True
