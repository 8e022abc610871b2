"""Drops nodes that hand their input on unchanged."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.passes.rewrite import RewritePass, bypass, constant_of, input_of, new_reshape, replace, shape_of


class DropIdentity(RewritePass):
    """Identity, Dropout, Cast to float32, and Reshape, Pad, Slice and Concat that change nothing.

    Where a graph input would become a graph output, a Reshape to the same shape stays, for a copy is meant.
    """

    name = "drop-identity"
    ops = ("Identity", "Dropout", "Cast", "CastLike", "Reshape", "Pad", "Slice", "Concat")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Bypass `node` if it hands its input on."""
        if not _hands_on(node):
            return False
        if bypass(node):
            return True
        if node.op_type == "Reshape":
            return False
        replace(node, [new_reshape(graph, input_of(node), shape_of(node.outputs[0]), [node])])
        return True


def _hands_on(node: ir.Node) -> bool:
    if node.op_type in ("Reshape", "Slice"):
        return _keeps_shape(node)
    if node.op_type == "Pad":
        return not np.any(constant_of(node, 1))
    if node.op_type == "Concat":
        return len(node.inputs) == 1
    return True


def _keeps_shape(node: ir.Node) -> bool:
    return shape_of(input_of(node)) == shape_of(node.outputs[0])
