"""Makes pooling over a whole image an ordinary pool with a kernel of that size."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.passes.rewrite import RewritePass, input_of, ints_of, new_node, new_reshape, replace, shape_of


class PoolForms(RewritePass):
    """GlobalAveragePool and ReduceMean become AveragePool (and Reshape), GlobalMaxPool becomes MaxPool."""

    name = "pool-forms"
    ops = ("GlobalAveragePool", "GlobalMaxPool", "ReduceMean")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless it is a mean over channels too, or of magnitudes, which is a layer of its own."""
        x, y = input_of(node), node.outputs[0]
        if node.op_type == "ReduceMean" and not _is_spatial(node, len(shape_of(x))):
            return False
        batch, channels, *size = shape_of(x)
        kernel = list(size)
        if node.op_type == "ReduceMean":
            axes = _axes(node, 4)
            kernel = [size[i] if i + 2 in axes else 1 for i in (0, 1)]
        pooled = (batch, channels, size[0] // kernel[0], size[1] // kernel[1])
        op = "MaxPool" if node.op_type == "GlobalMaxPool" else "AveragePool"
        new = [new_node(op, [x], pooled, [node], {"kernel_shape": kernel, "strides": kernel})]
        if pooled != shape_of(y):
            new.append(new_reshape(graph, new[0].outputs[0], shape_of(y), [node], "reshape"))
        replace(node, new)
        return True


def _is_spatial(node: ir.Node, rank: int) -> bool:
    before = input_of(node).producer()
    of_magnitudes = before is not None and before.op_type == "Abs"
    return rank == 4 and _axes(node, rank) <= {2, 3} and not of_magnitudes


def _axes(node: ir.Node, rank: int) -> set[int]:
    return {axis % rank for axis in ints_of(node, "axes", 1) or ()}
