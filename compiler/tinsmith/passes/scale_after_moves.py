"""Lets a factor of bits wait until a layer can take it in."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.bits import MOVERS, is_bit
from tinsmith.ir.provenance import inherit
from tinsmith.passes.affine import affine_of
from tinsmith.passes.rewrite import RewritePass, input_of, new_node, only_consumer, replace, shape_of


class ScaleAfterMoves(RewritePass):
    """One positive factor of all bits goes behind the MaxPool, Reshape or Transpose that alone reads the product."""

    name = "scale-after-moves"
    ops = ("Mul", "Div")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Put `node` behind as many moves as follow."""
        affine, changed = affine_of(node), False
        if affine is None or affine.axis is not None or affine.scale.min() <= 0 or not is_bit(affine.x):
            return False
        while (move := only_consumer(node.outputs[0])) is not None and _moves_one(move):
            node = _swap(node, move, affine.x)
            affine, changed = affine_of(node), True
            if affine is None:
                break
        return changed


def _moves_one(node: ir.Node) -> bool:
    return node.op_type in MOVERS and node.op_type != "Concat" and len(node.outputs) == 1


def _swap(scale: ir.Node, move: ir.Node, x: ir.Value) -> ir.Node:
    """`move` of x, then `scale`; returns the new node that scales."""
    shape = shape_of(move.outputs[0])
    attributes = {key: attribute.value for key, attribute in move.attributes.items()}
    first = new_node(
        move.op_type, [x, *[input_of(move, i) for i in range(1, len(move.inputs))]], shape, [move], attributes
    )
    operands = [first.outputs[0] if v is x else v for v in scale.inputs if v is not None]
    second = new_node(scale.op_type, operands, shape, [scale])
    replace(move, [first, second])
    graph = scale.graph
    if isinstance(graph, ir.Graph):
        graph.remove(scale, safe=True)
    inherit(second, scale)
    return second
