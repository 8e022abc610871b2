"""`ai.tinsmith.ShiftMatMul`, `ShiftMatMulThreshold`, `ShiftMatMul16` …: a product by constant powers of two."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.codes import encode
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.halves import operands, sums, zero_names
from tinsmith.ir.ops.shift_weight import decoded, read_shift_weight
from tinsmith.ir.ops.weighted import read_bias_and_ending, weighted_node
from tinsmith.ir.ops.weights import check_zero_points, zero_points


def _products(x: str, y: str) -> str:
    return f"""
  {x}_near = MatMulInteger ({x}, near, {x}_zero, w_zero)
  {x}_rest = MatMulInteger ({x}, rest, {x}_zero, w_zero)
  {y} = Add ({x}_near, {x}_rest)
"""


class ShiftMatMul(EndedOperator[exact.ShiftMatMul]):
    """acc = bias + (x - x_zero_point) @ ((-1)**sign * 2**S), x (..., K), codes (K, N)."""

    stem = "ShiftMatMul"
    record: ClassVar[type[exact.Layer]] = exact.ShiftMatMul

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name}{form.header("bits", *zero_names(self.wide))} (x, codes, bias, {form.vector}) => (y)
{{{operands(self.wide)}{decoded(self.wide)}{sums(self.wide, _products)}{form.rows()}}}"""

    def write(self, layer: exact.ShiftMatMul, context: WriteContext) -> ir.Node:
        """The node; the weight is codes (K, N)."""
        attributes = {"bits": ir.AttrInt64("bits", layer.bits), **zero_points(context.tensors[layer.inputs[0]])}
        return weighted_node(self, layer, context, encode(layer.weight, layer.bits), attributes)

    def read(self, context: ReadContext) -> exact.ShiftMatMul:
        """The record; weights as true values."""
        check_zero_points(context)
        weight, bits = read_shift_weight(context, rank=2)
        rest = read_bias_and_ending(self, context, weight.shape[1])
        return exact.ShiftMatMul(**context.common(1), **rest, weight=weight, bits=bits)  # type: ignore[arg-type]
