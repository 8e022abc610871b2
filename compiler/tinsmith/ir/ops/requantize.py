"""`ai.tinsmith.Requantize`: an 8-bit tensor under another scale or range (a ReLU or clip that nothing absorbed)."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext, requantization_attributes
from tinsmith.ir.ops.scalars import read_multiplier


class Requantize(Operator[exact.Requantize]):
    """acc = x - x_zero_point; one multiplier for the whole tensor."""

    name = "Requantize"
    record: ClassVar[type[exact.Layer]] = exact.Requantize
    body = f"""
Requantize <x_zero_point, shift, zero_point, lo, hi, to> (x, multiplier) => (y)
{{
  zero_int = Constant <value_int: int = @x_zero_point> ()
  zero = Cast <to = 6> (zero_int)
  wide = Cast <to = 6> (x)
  acc = Sub (wide, zero)
  y = {rescale.CALL} (acc, multiplier)
}}"""

    def write(self, layer: exact.Requantize, context: WriteContext) -> ir.Node:
        """The node; its constant is multiplier (1,)."""
        x = context.tensors[layer.inputs[0]]
        attributes = {
            "x_zero_point": ir.AttrInt64("x_zero_point", x.zero_point),
            **requantization_attributes(layer.requant, context.tensors[layer.output]),
        }
        return context.node(self, layer, {"multiplier": layer.requant.multiplier}, attributes)

    def read(self, context: ReadContext) -> exact.Requantize:
        """The record."""
        return exact.Requantize(**context.common(1), requant=context.requantization(read_multiplier(context)))
