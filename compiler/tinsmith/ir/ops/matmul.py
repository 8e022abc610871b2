"""`ai.tinsmith.MatMul`, `MatMulThreshold`, `MatMulAccumulator`, `MatMul16` …: a product by a constant, with ending."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.halves import operands, sums, zero_names
from tinsmith.ir.ops.weighted import read_bias_and_ending, weighted_node
from tinsmith.ir.ops.weights import read_weight, stored_weight, zero_points


def _products(x: str, y: str) -> str:
    return f"  {y} = MatMulInteger ({x}, w, {x}_zero, w_zero)\n"


class MatMul(EndedOperator[exact.MatMul]):
    """acc = bias + (x - x_zero_point) @ (w - w_zero_point), x (..., K), w (K, N)."""

    stem = "MatMul"
    record: ClassVar[type[exact.Layer]] = exact.MatMul

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name}{form.header(*zero_names(self.wide))} (x, w, bias{form.input}) => (y)
{{{operands(self.wide)}{sums(self.wide, _products)}{form.rows()}}}"""

    def write(self, layer: exact.MatMul, context: WriteContext) -> ir.Node:
        """The node; the weight is (K, N)."""
        x = context.tensors[layer.inputs[0]]
        return weighted_node(self, layer, context, stored_weight(layer.weight, x.dtype), zero_points(x))

    def read(self, context: ReadContext) -> exact.MatMul:
        """The record; weights as true signed values."""
        weight = read_weight(context, rank=2)
        rest = read_bias_and_ending(self, context, weight.shape[1])
        return exact.MatMul(**context.common(1), **rest, weight=weight)
