"""`ai.tinsmith.ShiftMatMul`, `ShiftMatMulThreshold`: an 8-bit matrix product by constant powers of two."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.codes import encode
from tinsmith.ir.ops import shift_weight
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.shift_weight import read_shift_weight
from tinsmith.ir.ops.weighted import read_bias_and_ending, weighted_node
from tinsmith.ir.ops.weights import check_zero_points, zero_points


class ShiftMatMul(EndedOperator[exact.ShiftMatMul]):
    """acc = bias + (x - x_zero_point) @ ((-1)**sign * 2**S), x (..., K), codes (K, N)."""

    stem = "ShiftMatMul"
    record: ClassVar[type[exact.Layer]] = exact.ShiftMatMul

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name} <bits, x_zero_point, w_zero_point{form.attributes}> (x, codes, bias, {form.vector}) => (y)
{{
  x_zero_int = Constant <value_int: int = @x_zero_point> ()
  w_zero_int = Constant <value_int: int = @w_zero_point> ()
  x_zero = CastLike (x_zero_int, x)
  w_zero = CastLike (w_zero_int, x)
  near, rest = {shift_weight.CALL} (codes, x, w_zero_int)
  near_products = MatMulInteger (x, near, x_zero, w_zero)
  rest_products = MatMulInteger (x, rest, x_zero, w_zero)
  products = Add (near_products, rest_products)
{form.rows()}}}"""

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
