"""`ai.tinsmith.PiecewiseLinear`: two straight pieces a channel, on an 8-bit tensor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext, requantization_attributes
from tinsmith.ir.ops.channels import channel_axis, read_channels, spread
from tinsmith.ir.ops.scalars import read_zero_point


class PiecewiseLinear(Operator[exact.PiecewiseLinear]):
    """acc = v * multiplier[k] + offset[k], k = 1 where v = x - x_zero_point reaches the knee; then one rescale by 1.

    knee is (C, 1, ...), multiplier and offset are (2, C, 1, ...), C along one axis.
    """

    name = "PiecewiseLinear"
    record: ClassVar[type[exact.Layer]] = exact.PiecewiseLinear
    body = f"""
PiecewiseLinear <x_zero_point, shift, zero_point, lo, hi, to> (x, knee, multiplier, offset) => (y)
{{
  zero_int = Constant <value_int: int = @x_zero_point> ()
  below = Constant <value_int = 0> ()
  above = Constant <value_int = 1> ()
  one = Cast <to = 6> (above)
  zero = Cast <to = 6> (zero_int)
  wide = Cast <to = 6> (x)
  v = Sub (wide, zero)
  reached = GreaterOrEqual (v, knee)
  multiplier_below = Gather <axis = 0> (multiplier, below)
  multiplier_above = Gather <axis = 0> (multiplier, above)
  offset_below = Gather <axis = 0> (offset, below)
  offset_above = Gather <axis = 0> (offset, above)
  its_multiplier = Where (reached, multiplier_above, multiplier_below)
  its_offset = Where (reached, offset_above, offset_below)
  product = Mul (v, its_multiplier)
  acc = Add (product, its_offset)
  y = {rescale.CALL} (acc, one)
}}"""

    def write(self, layer: exact.PiecewiseLinear, context: WriteContext) -> ir.Node:
        """The node; its constants are knee, multiplier and offset."""
        x = context.tensors[layer.inputs[0]]
        attributes = {
            "x_zero_point": ir.AttrInt64("x_zero_point", x.zero_point),
            **requantization_attributes(layer.rounding, context.tensors[layer.output]),
        }
        names = ("knee", "multiplier", "offset")
        constants = {name: spread(getattr(layer, name), layer.axis, len(x.shape)) for name in names}
        return context.node(self, layer, constants, attributes)

    def read(self, context: ReadContext) -> exact.PiecewiseLinear:
        """The record."""
        read_zero_point(context)
        axis = channel_axis(context, 1)
        rounding = context.requantization(np.ones(1, np.int32))
        return exact.PiecewiseLinear(
            **context.common(1),
            axis=axis,
            knee=read_channels(context, 1, "int32", axis),
            multiplier=read_channels(context, 2, "int32", axis, rows=2),
            offset=read_channels(context, 3, "int32", axis, rows=2),
            shift=rounding.shift,
            zero_point=rounding.zero_point,
            lo=rounding.lo,
            hi=rounding.hi,
        )
