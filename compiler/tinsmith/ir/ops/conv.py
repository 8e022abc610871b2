"""`ai.tinsmith.Conv`, `ConvThreshold`, `ConvAccumulator`: an 8-bit convolution with its bias and its ending."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.weighted import (
    read_bias_and_ending,
    read_group,
    read_window,
    weighted_node,
    window_attributes,
)
from tinsmith.ir.ops.weights import read_weight, stored_weight, zero_points


class Conv(EndedOperator[exact.Conv]):
    """acc = bias + sum((x - x_zero_point) * (w - w_zero_point)); padding adds nothing. x and w share a type."""

    stem = "Conv"
    record: ClassVar[type[exact.Layer]] = exact.Conv

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name} <strides, pads, dilations, group, x_zero_point, w_zero_point{form.attributes}>
  (x, w, bias{form.input}) => (y)
{{
  x_zero_int = Constant <value_int: int = @x_zero_point> ()
  w_zero_int = Constant <value_int: int = @w_zero_point> ()
  x_zero = CastLike (x_zero_int, x)
  w_zero = CastLike (w_zero_int, w)
  products = ConvInteger <strides: ints = @strides, pads: ints = @pads, dilations: ints = @dilations,
    group: int = @group> (x, w, x_zero, w_zero)
{form.columns()}}}"""

    def write(self, layer: exact.Conv, context: WriteContext) -> ir.Node:
        """The node; the weight is (O, I/group, kh, kw)."""
        x = context.tensors[layer.inputs[0]]
        group = {"group": ir.AttrInt64("group", layer.group)}
        attributes = {**window_attributes(layer), **group, **zero_points(x)}
        return weighted_node(self, layer, context, stored_weight(layer.weight, x.dtype), attributes)

    def read(self, context: ReadContext) -> exact.Conv:
        """The record; weights as true signed values."""
        weight = read_weight(context, rank=4)
        return exact.Conv(
            **context.common(1),
            **read_bias_and_ending(self, context, weight.shape[0]),
            **read_window(context),
            weight=weight,
            group=read_group(context, weight.shape),
        )
