"""Gives every QuantizeLinear one DequantizeLinear behind it."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.passes.rewrite import RewritePass, new_reshape, replace, shape_of


class GridPairs(RewritePass):
    """Tools write one DequantizeLinear for each reader: the first serves them all, a second output is a copy of it."""

    name = "grid-pairs"
    ops = ("QuantizeLinear",)

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace every DequantizeLinear behind `node` but the first."""
        first, *others = (reader for reader in graph if reader.inputs and reader.inputs[0] is node.outputs[0])
        real = first.outputs[0]
        for other in others:
            value = other.outputs[0]
            if value.is_graph_output():
                replace(other, [new_reshape(graph, real, shape_of(value), [other])])
            else:
                value.replace_all_uses_with(real)
                graph.remove(other, safe=True)
        return bool(others)
