"""Makes every operator that only regroups dimensions a Reshape to a constant shape."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.passes.rewrite import RewritePass, attributes_of, input_of, ints_of, new_reshape, replace, shape_of


class ReshapeForms(RewritePass):
    """Flatten, Squeeze, Unsqueeze and Reshape become Reshape by explicit numbers; several in a row become one."""

    name = "reshape-forms"
    ops = ("Flatten", "Squeeze", "Unsqueeze", "Reshape")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless it is that Reshape already."""
        x, shape, old = input_of(node), shape_of(node.outputs[0]), [node]
        before = x.producer()
        if before is not None and before.op_type == "Reshape":
            x, old = input_of(before), [node, before]
        explicit = node.op_type == "Reshape" and ints_of(node, "shape", 1) == shape
        if explicit and len(old) == 1 and not attributes_of(node):
            return False
        replace(node, [new_reshape(graph, x, shape, old)])
        return True
