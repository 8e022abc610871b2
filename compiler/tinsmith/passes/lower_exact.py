"""Lowers a quantized model (standard QDQ) to the exact graph: every group of nodes becomes one integer operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir.accumulators import is_accumulator
from tinsmith.ir.bits import is_bit
from tinsmith.ir.exact import ExactGraph, Tensor
from tinsmith.ir.stages import Stage
from tinsmith.ir.writer import write_exact
from tinsmith.numerics.roles import Role, role
from tinsmith.passes.base import Pass
from tinsmith.passes.lowering.accumulators import lower_accumulator
from tinsmith.passes.lowering.bits import lower_binarize, lower_bit_pool, lower_step
from tinsmith.passes.lowering.borders import lower_arg_max, lower_dequantize, lower_quantize, lower_softmax
from tinsmith.passes.lowering.builder import Builder
from tinsmith.passes.lowering.curves import lower_curve
from tinsmith.passes.lowering.elementwise import lower_add, lower_requantize
from tinsmith.passes.lowering.moves import lower_concat, lower_reshape, lower_transpose
from tinsmith.passes.lowering.pieces import lower_pieces
from tinsmith.passes.lowering.pools import lower_average_pool, lower_max_pool
from tinsmith.passes.lowering.qdq import Group, group_of, shape_of
from tinsmith.passes.lowering.scaling import lower_magnitude, lower_multiply
from tinsmith.passes.lowering.weighted import lower_weighted

LAYERS: Mapping[Role, Callable[[Builder, Group, ir.Node], None]] = {
    "weighted": lower_weighted,
    "sum": lower_add,
    "pool": lower_average_pool,
    "product": lower_multiply,
    "magnitude": lower_magnitude,
    "pieces": lower_pieces,
    "curve": lower_curve,
    "bits": lower_step,
}
"""What becomes of a group that ends in 8 bits, by the role of its head."""

MOVES: Mapping[str, Callable[[Builder, Group, ir.Node], None]] = {
    "Concat": lower_concat,
    "MaxPool": lower_max_pool,
    "Reshape": lower_reshape,
    "Transpose": lower_transpose,
}
"""What becomes of operators that move stored values."""

BITS: Mapping[Role, Callable[[Builder, Group, ir.Node], None]] = {
    "weighted": lower_weighted,
    "product": lower_multiply,
    "pieces": lower_binarize,
    "bits": lower_binarize,
}
"""What becomes of a group that ends in a Binarize, by the role of its head."""

ENDS: Mapping[str, Callable[[Builder, ir.Node], None]] = {"ArgMax": lower_arg_max, "Softmax": lower_softmax}
"""What becomes of operators that only a graph output follows."""


def _lower_group(builder: Builder, group: Group) -> None:
    head = group.head
    if head is None:
        _lower_given(builder, group)
        return
    kind = role(head)
    if kind is None:
        raise ValueError(f"{head.op_type} {head.name!r} heads no layer")
    if kind == "move":
        MOVES[head.op_type](builder, group, head)
    else:
        (BITS if group.makes_bits else LAYERS)[kind](builder, group, head)


def _lower_given(builder: Builder, group: Group) -> None:
    """A value that nothing computes is quantized: a graph input, or a tensor under another grid."""
    value = (group.activation or group.end).inputs[0]
    if value is None:
        raise ValueError(f"{group.end.name!r} quantizes nothing")
    lower = lower_quantize if value.is_graph_input() else lower_requantize
    lower(builder, group, value)


def _lower_node(builder: Builder, node: ir.Node) -> None:
    """Lower the layer that `node` ends; other nodes are part of a layer that ends further down."""
    y = node.outputs[0]
    if node.op_type == "QuantizeLinear":
        _lower_group(builder, group_of(node))
    elif node.op_type == "Binarize":
        if any(use.node.op_type != "QuantizeLinear" for use in y.uses()):
            _lower_group(builder, group_of(node))
    elif is_accumulator(y):
        lower_accumulator(builder, node)
    elif node.op_type == "MaxPool" and is_bit(y):
        lower_bit_pool(builder, node)
    elif node.op_type in MOVES and is_bit(y):
        MOVES[node.op_type](builder, Group((node,), node), node)
    elif node.op_type == "DequantizeLinear" and y.is_graph_output():
        lower_dequantize(builder, node)
    elif node.op_type in ENDS:
        ENDS[node.op_type](builder, node)


def exact_graph(model: ir.Model) -> ExactGraph:
    """The records of a quantized model, every range proved.

    Raises:
        TinsmithError: every layer whose accumulator could pass int32, or whose scales no multiplier expresses.
    """
    builder = Builder(model.functions)
    for value in model.graph.inputs:
        builder.tensors[value.name or ""] = Tensor(value.name or "", shape_of(value), "float32")
    for node in model.graph:
        _lower_node(builder, node)
    builder.problems.check()
    inputs, outputs = (tuple(v.name or "" for v in values) for values in (model.graph.inputs, model.graph.outputs))
    return ExactGraph(model.graph.name or "", inputs, outputs, builder.tensors, tuple(builder.layers))


class LowerExact(Pass):
    """Replaces the graph by its exact form; nothing of the float model, and no producer, path or time, stays."""

    name: ClassVar[str] = "lower_exact"
    requires: ClassVar[Stage] = Stage.QUANTIZED
    ensures: ClassVar[Stage] = Stage.EXACT

    def run(self, model: ir.Model) -> bool:
        """Lower `model` in place; always changes it."""
        exact = write_exact(exact_graph(model))
        model.graph, model.ir_version = exact.graph, exact.ir_version
        model.functions.clear()
        model.functions.update(exact.functions)
        model.producer_name = model.producer_version = model.doc_string = model.domain = model.model_version = None
        for key in [key for key in model.metadata_props if not key.startswith("tinsmith.")]:
            del model.metadata_props[key]
        return True


def lower(model: ir.Model) -> None:
    """Run the passes that make a quantized model exact, in place.

    Raises:
        TinsmithError: every layer whose accumulator could pass int32, or whose scales no multiplier expresses.
    """
    from tinsmith.passes.pipelines import EXACT

    for step in EXACT:
        step()(model)
