"""Gives every Clip both bounds, and makes the ones that are a Relu a Relu."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.provenance import layer_name
from tinsmith.passes.rewrite import (
    RewritePass,
    add_constant,
    bypass,
    constant_of,
    input_of,
    new_node,
    new_reshape,
    replace,
    shape_of,
)

LARGEST = float(np.finfo(np.float32).max)


class ClipBounds(RewritePass):
    """A bound that is left out or infinite becomes the largest float32; min 0 alone is Relu; no bound is nothing."""

    name = "clip-bounds"
    ops = ("Clip",)

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless both bounds stand there."""
        x, shape = input_of(node), shape_of(node.outputs[0])
        bounds = bounds_of(node)
        if bounds == (-LARGEST, LARGEST):
            if not bypass(node):
                replace(node, [new_reshape(graph, x, shape, [node])])
            return True
        if bounds == (0.0, LARGEST):
            replace(node, [new_node("Relu", [x], shape, [node])])
            return True
        given = [constant_of(node, i) for i in (1, 2)]
        if all(g is not None and g.shape == () and g == b for g, b in zip(given, bounds, strict=True)):
            return False
        names = (f"{layer_name(node)}.min", f"{layer_name(node)}.max")
        inputs = [add_constant(graph, n, np.float32(b)) for n, b in zip(names, bounds, strict=True)]
        replace(node, [new_node("Clip", [x, *inputs], shape, [node])])
        return True


def bounds_of(node: ir.Node) -> tuple[float, float]:
    """Bounds of a Clip or Relu; the largest float32 where there is none."""
    return (0.0, LARGEST) if node.op_type == "Relu" else (_bound(node, 1, -LARGEST), _bound(node, 2, LARGEST))


def _bound(node: ir.Node, i: int, default: float) -> float:
    value = constant_of(node, i)
    return default if value is None or np.isinf(value).any() else float(value.reshape(-1)[0])
