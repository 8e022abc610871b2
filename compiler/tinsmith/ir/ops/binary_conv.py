"""`ai.tinsmith.BinaryConv`, `BinaryConvThreshold`: one bit by one bit, with a bias and an ending."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.weighted import read_bias_and_ending, read_window, weighted_node, window_attributes
from tinsmith.ir.ops.weights import read_signs


class BinaryConv(EndedOperator[exact.BinaryConv]):
    """acc = bias + sum(x * w), x and w of -1 and +1; padding is `pad_value`, where 0 adds nothing."""

    stem = "BinaryConv"
    record: ClassVar[type[exact.Layer]] = exact.BinaryConv

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name} <strides, pads, dilations, pad_value{form.attributes}> (x, w, bias, {form.vector}) => (y)
{{
  border = Constant <value_ints: ints = @pads> ()
  border_int = Constant <value_int: int = @pad_value> ()
  border_value = CastLike (border_int, x)
  height_and_width = Constant <value_ints = [2, 3]> ()
  padded = Pad (x, border, border_value, height_and_width)
  products = ConvInteger <strides: ints = @strides, dilations: ints = @dilations> (padded, w)
{form.columns()}}}"""

    def write(self, layer: exact.BinaryConv, context: WriteContext) -> ir.Node:
        """The node; the weight is (O, I, kh, kw)."""
        attributes = {**window_attributes(layer), "pad_value": ir.AttrInt64("pad_value", layer.pad_value)}
        return weighted_node(self, layer, context, layer.weight, attributes)

    def read(self, context: ReadContext) -> exact.BinaryConv:
        """The record."""
        weight, pad_value = read_signs(context, rank=4), context.integer("pad_value")
        if pad_value not in (-1, 0, 1):
            raise context.fail(f"pad_value {pad_value} is none of -1, 0 and 1")
        return exact.BinaryConv(
            **context.common(1),
            **read_bias_and_ending(self, context, weight.shape[0]),
            **read_window(context),
            weight=weight,
            pad_value=pad_value,  # type: ignore[arg-type]
        )
