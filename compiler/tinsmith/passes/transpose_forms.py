"""Writes out every Transpose's permutation, and makes the ones that move nothing a Reshape."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.passes.rewrite import RewritePass, input_of, ints_of, new_node, new_reshape, replace, shape_of


class TransposeForms(RewritePass):
    """A Transpose that only moves dimensions of 1 becomes a Reshape; the others say how they permute."""

    name = "transpose-forms"
    ops = ("Transpose",)

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless it moves something and says how."""
        x, shape = input_of(node), shape_of(input_of(node))
        perm = ints_of(node, "perm") or tuple(reversed(range(len(shape))))
        moved = [axis for axis in perm if shape[axis] != 1]
        result = shape_of(node.outputs[0])
        if moved == sorted(moved):
            replace(node, [new_reshape(graph, x, result, [node])])
            return True
        if "perm" in node.attributes:
            return False
        replace(node, [new_node("Transpose", [x], result, [node], {"perm": perm})])
        return True
