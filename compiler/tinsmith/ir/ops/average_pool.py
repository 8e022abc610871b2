"""`ai.tinsmith.AveragePool`: the sum over a window, with 1/area in the multiplier."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext, requantization_attributes
from tinsmith.ir.ops.scalars import read_multiplier


class AveragePool(Operator[exact.AveragePool]):
    """acc = sum over the window of (x - x_zero_point), padding counts as zero (a convolution by ones)."""

    name = "AveragePool"
    record: ClassVar[type[exact.Layer]] = exact.AveragePool
    body = f"""
AveragePool <kernel_shape, strides, pads, x_zero_point, shift, zero_point, lo, hi, to> (x, multiplier) => (y)
{{
  zero_int = Constant <value_int: int = @x_zero_point> ()
  zero = CastLike (zero_int, x)
  one_int = Constant <value_int = 1> ()
  one = CastLike (one_int, x)
  window = Constant <value_ints: ints = @kernel_shape> ()
  one_by_one = Constant <value_ints = [1, 1]> ()
  ones_shape = Concat <axis = 0> (one_by_one, window)
  ones = Expand (one, ones_shape)
  each_alone = Constant <value_ints = [-1, 1]> ()
  image = Shape <start = 2> (x)
  split_shape = Concat <axis = 0> (each_alone, image)
  split = Reshape (x, split_shape)
  sums = ConvInteger <kernel_shape: ints = @kernel_shape, strides: ints = @strides, pads: ints = @pads>
    (split, ones, zero)
  channels = Shape <start = 0, end = 2> (x)
  pooled_image = Shape <start = 2> (sums)
  joined_shape = Concat <axis = 0> (channels, pooled_image)
  acc = Reshape (sums, joined_shape)
  y = {rescale.CALL} (acc, multiplier)
}}"""

    def write(self, layer: exact.AveragePool, context: WriteContext) -> ir.Node:
        """The node; its constant is multiplier (1,)."""
        x = context.tensors[layer.inputs[0]]
        attributes = {
            "kernel_shape": ir.AttrInt64s("kernel_shape", layer.kernel),
            "strides": ir.AttrInt64s("strides", layer.strides),
            "pads": ir.AttrInt64s("pads", layer.pads),
            "x_zero_point": ir.AttrInt64("x_zero_point", x.zero_point),
            **requantization_attributes(layer.requant, context.tensors[layer.output]),
        }
        return context.node(self, layer, {"multiplier": layer.requant.multiplier}, attributes)

    def read(self, context: ReadContext) -> exact.AveragePool:
        """The record."""
        return exact.AveragePool(
            **context.common(1),
            kernel=context.pair("kernel_shape"),
            strides=context.pair("strides"),
            pads=context.pads(),
            requant=context.requantization(read_multiplier(context)),
        )
