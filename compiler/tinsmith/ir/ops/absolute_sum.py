"""`ai.tinsmith.AbsoluteSum`: the sum of magnitudes over some axes of an 8-bit tensor."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext, requantization_attributes
from tinsmith.ir.ops.scalars import read_multiplier


class AbsoluteSum(Operator[exact.AbsoluteSum]):
    """acc = sum of |x - x_zero_point| over `axes`, which stay with size 1; one multiplier for the whole tensor."""

    name = "AbsoluteSum"
    record: ClassVar[type[exact.Layer]] = exact.AbsoluteSum
    body = f"""
AbsoluteSum <axes, x_zero_point, shift, zero_point, lo, hi, to> (x, multiplier) => (y)
{{
  zero_int = Constant <value_int: int = @x_zero_point> ()
  over = Constant <value_ints: ints = @axes> ()
  zero = Cast <to = 6> (zero_int)
  wide = Cast <to = 6> (x)
  true = Sub (wide, zero)
  magnitude = Abs (true)
  acc = ReduceSum <keepdims = 1> (magnitude, over)
  y = {rescale.CALL} (acc, multiplier)
}}"""

    def write(self, layer: exact.AbsoluteSum, context: WriteContext) -> ir.Node:
        """The node; its constant is multiplier (1,)."""
        x = context.tensors[layer.inputs[0]]
        attributes = {
            "axes": ir.AttrInt64s("axes", layer.axes),
            "x_zero_point": ir.AttrInt64("x_zero_point", x.zero_point),
            **requantization_attributes(layer.requant, context.tensors[layer.output]),
        }
        return context.node(self, layer, {"multiplier": layer.requant.multiplier}, attributes)

    def read(self, context: ReadContext) -> exact.AbsoluteSum:
        """The record."""
        requant = context.requantization(read_multiplier(context))
        return exact.AbsoluteSum(**context.common(1), axes=context.all_ints("axes"), requant=requant)
