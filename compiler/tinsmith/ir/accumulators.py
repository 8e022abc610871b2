"""Which values of a quantized model are accumulators that nothing rounds: the results of layers that end the graph."""

from __future__ import annotations

import onnx_ir as ir

LAYERS = ("Conv", "Gemm")
"""Operators whose accumulators a graph may put out."""


def reaches_output(value: ir.Value) -> bool:
    """Whether all that becomes of `value` is one graph output, behind Reshapes or at once."""
    uses = list(value.uses())
    if value.is_graph_output():
        return not uses
    return len(uses) == 1 and uses[0].node.op_type == "Reshape" and reaches_output(uses[0].node.outputs[0])


def is_accumulator(value: ir.Value | None) -> bool:
    """Whether `value` of a quantized model is the sum of a layer, reshaped or not, on its way to a graph output."""
    node = value.producer() if value is not None else None
    if value is None or node is None or node.domain or not reaches_output(value):
        return False
    return node.op_type in LAYERS or (node.op_type == "Reshape" and is_accumulator(node.inputs[0]))
