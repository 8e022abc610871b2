"""Makes every product by a constant matrix one form of Gemm: (M, K) by (K, N), with a bias."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx_ir as ir

from tinsmith.ir.provenance import layer_name
from tinsmith.passes.rewrite import (
    Array,
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


class MatMulToGemm(RewritePass):
    """MatMul becomes Gemm, between Reshapes where the left side has more than two dimensions.

    Gemm loses transB, alpha, beta and broadcasting of the bias: they go into the constants.
    """

    name = "matmul-to-gemm"
    ops = ("MatMul", "Gemm")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless it has that form already."""
        if node.op_type == "Gemm" and not attributes_of(node) and len(node.inputs) == 3:
            return False
        weight, bias = _constants(node)
        x, shape, name = input_of(node), shape_of(node.outputs[0]), layer_name(node)
        new = []
        rows = prod(shape[:-1])
        if len(shape) != 2:
            new.append(new_reshape(graph, x, (rows, weight.shape[0]), [node], "rows"))
            x = new[0].outputs[0]
        constants = [add_constant(graph, f"{name}.weight", weight), add_constant(graph, f"{name}.bias", bias)]
        new.append(new_node("Gemm", [x, *constants], (rows, weight.shape[1]), [node]))
        if len(shape) != 2:
            new.append(new_reshape(graph, new[-1].outputs[0], shape, [node], "reshape"))
        replace(node, new)
        return True


def _constants(node: ir.Node) -> tuple[Array, Array]:
    """Weight (K, N) and bias (N,) with everything that attributes say worked in."""
    attributes = attributes_of(node)
    weight, bias = constant_of(node, 1), constant_of(node, 2)
    if weight is None:
        raise ValueError(f"{node.name!r} is not by a constant")
    weight = (weight.T if attributes.get("transB", 0) else weight) * np.float64(attributes.get("alpha", 1.0))
    columns = weight.shape[1]
    if bias is None:
        return weight, np.zeros(columns)
    return weight, np.broadcast_to(bias.reshape(-1), (columns,)) * np.float64(attributes.get("beta", 1.0))
