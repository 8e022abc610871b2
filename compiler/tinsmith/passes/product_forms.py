"""Makes every product that is no scale a channel a Mul of a value by what is broadcast to it."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.provenance import layer_name
from tinsmith.passes.affine import affine_of
from tinsmith.passes.rewrite import RewritePass, add_constant, constant_of, input_of, new_node, replace, shape_of


class ProductForms(RewritePass):
    """The second factor is the one that is broadcast, or the constant; Div by a constant becomes Mul."""

    name = "product-forms"
    ops = ("Mul", "Div")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless it has that form already, or is one factor a channel (fold-affine)."""
        if affine_of(node) is not None:
            return False
        x, other, shape = input_of(node), input_of(node, 1), shape_of(node.outputs[0])
        divisor = constant_of(node, 1)
        if node.op_type == "Div" and divisor is not None:
            other = add_constant(graph, f"{layer_name(node)}.factor", 1 / divisor.astype(np.float64))
        elif x.const_value is not None or shape_of(x) != shape:
            x, other = other, x
        else:
            return False
        replace(node, [new_node("Mul", [x, other], shape, [node])])
        return True
