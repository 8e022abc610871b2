"""`ai.tinsmith.Conv`, `ConvThreshold`, `ConvAccumulator`, `Conv16` …: a convolution with its bias and its ending."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.halves import operands, sums, zero_names
from tinsmith.ir.ops.weighted import (
    read_bias_and_ending,
    read_group,
    read_window,
    weighted_node,
    window_attributes,
)
from tinsmith.ir.ops.weights import read_weight, stored_weight, zero_points

WINDOW = "strides: ints = @strides, pads: ints = @pads, dilations: ints = @dilations, group: int = @group"
"""A convolution's attributes, as another body forwards them."""


def _products(x: str, y: str) -> str:
    return f"  {y} = ConvInteger <{WINDOW}> ({x}, w, {x}_zero, w_zero)\n"


class Conv(EndedOperator[exact.Conv]):
    """acc = bias + sum((x - x_zero_point) * (w - w_zero_point)); padding adds nothing.

    x, or its halves, and w share a type.
    """

    stem = "Conv"
    record: ClassVar[type[exact.Layer]] = exact.Conv

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name}{form.header("strides", "pads", "dilations", "group", *zero_names(self.wide))}
  (x, w, bias{form.input}) => (y)
{{{operands(self.wide)}{sums(self.wide, _products)}{form.columns()}}}"""

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
