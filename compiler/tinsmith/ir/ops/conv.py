"""`ai.tinsmith.Conv`: an 8-bit convolution with its bias and its requantization."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext, requantization_attributes
from tinsmith.ir.ops.weights import read_weight, stored_weight, weight_zero_point


class Conv(Operator[exact.Conv]):
    """acc = bias + sum((x - x_zero_point) * (w - w_zero_point)); padding adds nothing. x and w share a type."""

    name = "Conv"
    record: ClassVar[type[exact.Layer]] = exact.Conv
    body = f"""
Conv <strides, pads, dilations, group, x_zero_point, w_zero_point, shift, zero_point, lo, hi, to>
  (x, w, bias, multiplier) => (y)
{{
  x_zero_int = Constant <value_int: int = @x_zero_point> ()
  w_zero_int = Constant <value_int: int = @w_zero_point> ()
  x_zero = CastLike (x_zero_int, x)
  w_zero = CastLike (w_zero_int, w)
  products = ConvInteger <strides: ints = @strides, pads: ints = @pads, dilations: ints = @dilations,
    group: int = @group> (x, w, x_zero, w_zero)
  column = Constant <value_ints = [-1, 1, 1]> ()
  bias_column = Reshape (bias, column)
  multiplier_column = Reshape (multiplier, column)
  acc = Add (products, bias_column)
  y = {rescale.CALL} (acc, multiplier_column)
}}"""

    def write(self, layer: exact.Conv, context: WriteContext) -> ir.Node:
        """The node; constants are weight (O, I/group, kh, kw), bias (O,) and multiplier (O,)."""
        x = context.tensors[layer.inputs[0]]
        attributes = {
            "strides": ir.AttrInt64s("strides", layer.strides),
            "pads": ir.AttrInt64s("pads", layer.pads),
            "dilations": ir.AttrInt64s("dilations", layer.dilations),
            "group": ir.AttrInt64("group", layer.group),
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

    def read(self, context: ReadContext) -> exact.Conv:
        """The record; weights as true signed values."""
        weight = read_weight(context, rank=4)
        bias, multiplier = context.constant(2, "int32", 1), context.constant(3, "int32", 1)
        channels, group = weight.shape[0], context.integer("group")
        if bias.shape != (channels,) or multiplier.shape != (channels,):
            raise context.fail(f"bias and multiplier need one number for each of {channels} channels")
        if group < 1 or channels % group or not np.all(np.array(weight.shape)):
            raise context.fail(f"a weight of shape {weight.shape} does not go with {group} groups")
        return exact.Conv(
            **context.common(1),
            weight=weight,
            bias=bias,
            strides=context.pair("strides"),
            pads=context.pads(),
            dilations=context.pair("dilations"),
            group=group,
            requant=context.requantization(multiplier),
        )
