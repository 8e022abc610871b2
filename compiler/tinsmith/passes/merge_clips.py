"""Makes one Clip or Relu of two in a row."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.provenance import layer_name
from tinsmith.passes.clip_bounds import LARGEST, bounds_of
from tinsmith.passes.rewrite import RewritePass, add_constant, input_of, new_node, only_consumer, replace, shape_of


class MergeClips(RewritePass):
    """Clip(Clip(x, a, b), c, d) is a Clip of x to what c and d leave of a and b."""

    name = "merge-clips"
    ops = ("Clip", "Relu")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Merge `node` with the Clip or Relu before it, whose result nobody else reads."""
        before = input_of(node).producer()
        if before is None or before.op_type not in self.ops or only_consumer(input_of(node)) is not node:
            return False
        lo, hi = bounds_of(node)
        lo, hi = (min(max(bound, lo), hi) for bound in bounds_of(before))
        x, shape, old = input_of(before), shape_of(node.outputs[0]), [node, before]
        if (lo, hi) == (0.0, LARGEST):
            replace(node, [new_node("Relu", [x], shape, old)])
        else:
            ends = (("min", lo), ("max", hi))
            constants = [add_constant(graph, f"{layer_name(node)}.{part}", bound) for part, bound in ends]
            replace(node, [new_node("Clip", [x, *constants], shape, old)])
        graph.remove(before, safe=True)
        return True
