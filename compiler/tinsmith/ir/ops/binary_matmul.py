"""`ai.tinsmith.BinaryMatMul`, `BinaryMatMulThreshold`: one bit by constant bits, a bias and an ending."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.weighted import read_bias_and_ending, weighted_node
from tinsmith.ir.ops.weights import read_signs


class BinaryMatMul(EndedOperator[exact.BinaryMatMul]):
    """acc = bias + x @ w, x (..., K) and w (K, N) of -1 and +1."""

    stem = "BinaryMatMul"
    record: ClassVar[type[exact.Layer]] = exact.BinaryMatMul

    def text(self, form: Form) -> str:
        """The function body."""
        header = f" <{form.attributes.removeprefix(', ')}>" if form.attributes else ""
        return f"""
{self.name}{header} (x, w, bias, {form.vector}) => (y)
{{
  products = MatMulInteger (x, w)
{form.rows()}}}"""

    def write(self, layer: exact.BinaryMatMul, context: WriteContext) -> ir.Node:
        """The node; the weight is (K, N)."""
        return weighted_node(self, layer, context, layer.weight, {})

    def read(self, context: ReadContext) -> exact.BinaryMatMul:
        """The record."""
        weight = read_signs(context, rank=2)
        rest = read_bias_and_ending(self, context, weight.shape[1])
        return exact.BinaryMatMul(**context.common(1), **rest, weight=weight)
