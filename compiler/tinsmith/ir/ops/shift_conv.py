"""`ai.tinsmith.ShiftConv`, `ShiftConvThreshold`, `ShiftConv16` …: a convolution by powers of two."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.codes import encode
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.conv import WINDOW
from tinsmith.ir.ops.ending import EndedOperator, Form
from tinsmith.ir.ops.halves import operands, sums, zero_names
from tinsmith.ir.ops.shift_weight import decoded, read_shift_weight
from tinsmith.ir.ops.weighted import (
    read_bias_and_ending,
    read_group,
    read_window,
    weighted_node,
    window_attributes,
)
from tinsmith.ir.ops.weights import check_zero_points, zero_points


def _products(x: str, y: str) -> str:
    return f"""
  {x}_near = ConvInteger <{WINDOW}> ({x}, near, {x}_zero, w_zero)
  {x}_rest = ConvInteger <{WINDOW}> ({x}, rest, {x}_zero, w_zero)
  {y} = Add ({x}_near, {x}_rest)
"""


class ShiftConv(EndedOperator[exact.ShiftConv]):
    """acc = bias + sum((x - x_zero_point) * (-1)**sign * 2**S); padding adds nothing."""

    stem = "ShiftConv"
    record: ClassVar[type[exact.Layer]] = exact.ShiftConv

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name}{form.header("strides", "pads", "dilations", "group", "bits", *zero_names(self.wide))}
  (x, codes, bias, {form.vector}) => (y)
{{{operands(self.wide)}{decoded(self.wide)}{sums(self.wide, _products)}{form.columns()}}}"""

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
