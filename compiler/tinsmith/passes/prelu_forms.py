"""Makes every leaky rectifier a PRelu whose channels are where PRelu has them."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.constraints.geometry import as_image
from tinsmith.ir.provenance import layer_name
from tinsmith.passes.affine import axis_of
from tinsmith.passes.rewrite import (
    RewritePass,
    add_constant,
    attributes_of,
    constant_of,
    input_of,
    new_node,
    new_reshape,
    replace,
    shape_of,
)


class PReluForms(RewritePass):
    """LeakyRelu becomes PRelu; one slope along axis 1 of a (1, C, L) value works on an image between Reshapes."""

    name = "prelu-forms"
    ops = ("LeakyRelu", "PRelu")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless it has that form already."""
        x, name = input_of(node), layer_name(node)
        shape = shape_of(x)
        if node.op_type == "LeakyRelu":
            slope = add_constant(graph, f"{name}.slope", np.float32(attributes_of(node).get("alpha", 0.01)))
            replace(node, [new_node("PRelu", [x, slope], shape, [node])])
            return True
        given = constant_of(node, 1)
        if (
            given is None
            or given.size == 1
            or axis_of(shape, given.shape) in (len(shape) - 1, 1 if len(shape) == 4 else None)
        ):
            return False
        image = as_image(shape, 1)
        first = new_reshape(graph, x, image, [node], "image")
        slope = add_constant(graph, f"{name}.slope", given.reshape(-1, 1, 1))
        middle = new_node("PRelu", [first.outputs[0], slope], image, [node])
        replace(node, [first, middle, new_reshape(graph, middle.outputs[0], shape, [node], "reshape")])
        return True
