"""`ai.tinsmith.MatMul`: an 8-bit matrix product by a constant, with its bias and its requantization."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext, requantization_attributes
from tinsmith.ir.ops.weights import read_weight, stored_weight, weight_zero_point


class MatMul(Operator[exact.MatMul]):
    """acc = bias + (x - x_zero_point) @ (w - w_zero_point), x (..., K), w (K, N)."""

    name = "MatMul"
    record: ClassVar[type[exact.Layer]] = exact.MatMul
    body = f"""
MatMul <x_zero_point, w_zero_point, shift, zero_point, lo, hi, to> (x, w, bias, multiplier) => (y)
{{
  x_zero_int = Constant <value_int: int = @x_zero_point> ()
  w_zero_int = Constant <value_int: int = @w_zero_point> ()
  x_zero = CastLike (x_zero_int, x)
  w_zero = CastLike (w_zero_int, w)
  products = MatMulInteger (x, w, x_zero, w_zero)
  acc = Add (products, bias)
  y = {rescale.CALL} (acc, multiplier)
}}"""

    def write(self, layer: exact.MatMul, context: WriteContext) -> ir.Node:
        """The node; constants are weight (K, N), bias (N,) and multiplier (N,)."""
        x = context.tensors[layer.inputs[0]]
        attributes = {
            "x_zero_point": ir.AttrInt64("x_zero_point", x.zero_point),
            "w_zero_point": ir.AttrInt64("w_zero_point", weight_zero_point(x.dtype)),
            **requantization_attributes(layer.requant, context.tensors[layer.output]),
        }
        constants = {
            "weight": stored_weight(layer.weight, x.dtype),
            "bias": layer.bias,
            "multiplier": layer.requant.multiplier,
        }
        return context.node(self, layer, constants, attributes)

    def read(self, context: ReadContext) -> exact.MatMul:
        """The record; weights as true signed values."""
        weight = read_weight(context, rank=2)
        bias, multiplier = context.constant(2, "int32", 1), context.constant(3, "int32", 1)
        columns = weight.shape[1:]
        if bias.shape != columns or multiplier.shape != columns:
            raise context.fail(f"bias and multiplier need one number for each of {columns[0]} columns")
        requant = context.requantization(multiplier)
        return exact.MatMul(**context.common(1), weight=weight, bias=bias, requant=requant)
