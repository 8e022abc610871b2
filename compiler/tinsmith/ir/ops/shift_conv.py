"""`ai.tinsmith.ShiftConv`, `ShiftConvThreshold`: an 8-bit convolution by powers of two."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.codes import encode
from tinsmith.ir.ops import shift_weight
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.shift_weight import read_shift_weight
from tinsmith.ir.ops.weighted import (
    read_bias_and_ending,
    read_group,
    read_window,
    weighted_node,
    window_attributes,
)
from tinsmith.ir.ops.weights import check_zero_points, zero_points


class ShiftConv(EndedOperator[exact.ShiftConv]):
    """acc = bias + sum((x - x_zero_point) * (-1)**sign * 2**S); padding adds nothing."""

    stem = "ShiftConv"
    record: ClassVar[type[exact.Layer]] = exact.ShiftConv

    def text(self, form: Form) -> str:
        """The function body."""
        window = "strides: ints = @strides, pads: ints = @pads, dilations: ints = @dilations, group: int = @group"
        return f"""
{self.name} <strides, pads, dilations, group, bits, x_zero_point, w_zero_point{form.attributes}>
  (x, codes, bias, {form.vector}) => (y)
{{
  x_zero_int = Constant <value_int: int = @x_zero_point> ()
  w_zero_int = Constant <value_int: int = @w_zero_point> ()
  x_zero = CastLike (x_zero_int, x)
  w_zero = CastLike (w_zero_int, x)
  near, rest = {shift_weight.CALL} (codes, x, w_zero_int)
  near_products = ConvInteger <{window}> (x, near, x_zero, w_zero)
  rest_products = ConvInteger <{window}> (x, rest, x_zero, w_zero)
  products = Add (near_products, rest_products)
{form.columns()}}}"""

    def write(self, layer: exact.ShiftConv, context: WriteContext) -> ir.Node:
        """The node; the weight is codes (O, I/group, kh, kw)."""
        numbers = {"group": ir.AttrInt64("group", layer.group), "bits": ir.AttrInt64("bits", layer.bits)}
        attributes = {**window_attributes(layer), **numbers, **zero_points(context.tensors[layer.inputs[0]])}
        return weighted_node(self, layer, context, encode(layer.weight, layer.bits), attributes)

    def read(self, context: ReadContext) -> exact.ShiftConv:
        """The record; weights as true values."""
        check_zero_points(context)
        weight, bits = read_shift_weight(context, rank=4)
        return exact.ShiftConv(
            **context.common(1),
            **read_bias_and_ending(self, context, weight.shape[0]),
            **read_window(context),
            weight=weight,
            bits=bits,  # type: ignore[arg-type]
            group=read_group(context, weight.shape),
        )
