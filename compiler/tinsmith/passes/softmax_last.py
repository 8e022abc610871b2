"""Puts Softmax and ArgMax at the very end, along the last axis."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.passes.rewrite import (
    RewritePass,
    attributes_of,
    bypass,
    input_of,
    new_node,
    new_reshape,
    only_consumer,
    replace,
    shape_of,
)


class SoftmaxLast(RewritePass):
    """Reshapes after Softmax move before it; ArgMax of Softmax is ArgMax; the axis becomes -1.

    A Softmax along an axis behind which only dimensions of 1 stand loses these: (1, n, 1, 1) is returned as (1, n).
    """

    name = "softmax-last"
    ops = ("Softmax", "ArgMax")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` unless it is at the end and along the last axis."""
        return _argmax(node, graph) if node.op_type == "ArgMax" else _softmax(node, graph)


def _axis(node: ir.Node, default: int) -> int:
    return int(attributes_of(node).get("axis", default)) % len(shape_of(input_of(node)))


def _softmax(node: ir.Node, graph: ir.Graph) -> bool:
    x, shape = input_of(node), shape_of(input_of(node))
    following, last = only_consumer(node.outputs[0]), node
    if following is not None and following.op_type == "ArgMax":
        return bypass(node)
    shape = shape[: _axis(node, -1) + 1]
    if following is not None and following.op_type == "Reshape":
        shape, last = shape_of(following.outputs[0]), following
    if shape == shape_of(x) and attributes_of(node) == {"axis": -1}:
        return False
    new = [] if shape == shape_of(x) else [new_reshape(graph, x, shape, [node], "reshape")]
    new.append(new_node("Softmax", [new[0].outputs[0] if new else x], shape, [node], {"axis": -1}))
    replace(last, new)
    if last is not node:
        graph.remove(node, safe=True)
    return True


def _argmax(node: ir.Node, graph: ir.Graph) -> bool:
    x, shape = input_of(node), shape_of(input_of(node))
    axis, keepdims = _axis(node, 0), int(attributes_of(node).get("keepdims", 1))
    attributes = {"axis": -1, "keepdims": keepdims}
    if axis == len(shape) - 1 and attributes_of(node) == attributes:
        return False
    new = []
    if axis != len(shape) - 1:
        new.append(new_reshape(graph, x, (1,) * (len(shape) - 1) + (shape[axis],), [node], "reshape"))
        x = new[0].outputs[0]
    result = shape_of(node.outputs[0])
    new.append(new_node("ArgMax", [x], result, [node], attributes, dtype=ir.DataType.INT64))
    replace(node, new)
    return True
