"""`ai.tinsmith.Add`: the sum of two 8-bit tensors of equal shape, each brought to the output's scale."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext, requantization_attributes


class Add(Operator[exact.Add]):
    """acc = (a - a_zero_point) * a_multiplier + (b - b_zero_point) * b_multiplier, in int32; then one rescale by 1."""

    name = "Add"
    record: ClassVar[type[exact.Layer]] = exact.Add
    body = f"""
Add <a_zero_point, b_zero_point, a_multiplier, b_multiplier, shift, zero_point, lo, hi, to> (a, b) => (y)
{{
  a_zero_int = Constant <value_int: int = @a_zero_point> ()
  b_zero_int = Constant <value_int: int = @b_zero_point> ()
  a_scale_int = Constant <value_int: int = @a_multiplier> ()
  b_scale_int = Constant <value_int: int = @b_multiplier> ()
  one_int = Constant <value_int = 1> ()
  a_zero = Cast <to = 6> (a_zero_int)
  b_zero = Cast <to = 6> (b_zero_int)
  a_scale = Cast <to = 6> (a_scale_int)
  b_scale = Cast <to = 6> (b_scale_int)
  one = Cast <to = 6> (one_int)
  a_wide = Cast <to = 6> (a)
  b_wide = Cast <to = 6> (b)
  a_true = Sub (a_wide, a_zero)
  b_true = Sub (b_wide, b_zero)
  a_product = Mul (a_true, a_scale)
  b_product = Mul (b_true, b_scale)
  acc = Add (a_product, b_product)
  y = {rescale.CALL} (acc, one)
}}"""

    def write(self, layer: exact.Add, context: WriteContext) -> ir.Node:
        """The node; zero points are the input tensors'."""
        a, b = (context.tensors[name] for name in layer.inputs)
        numbers = {
            "a_zero_point": a.zero_point,
            "b_zero_point": b.zero_point,
            "a_multiplier": layer.multipliers[0],
            "b_multiplier": layer.multipliers[1],
        }
        attributes = {
            **{name: ir.AttrInt64(name, value) for name, value in numbers.items()},
            **requantization_attributes(layer.requant, context.tensors[layer.output]),
        }
        return context.node(self, layer, attributes=attributes)

    def read(self, context: ReadContext) -> exact.Add:
        """The record; `requant.multiplier` is [1]."""
        a, b = context.activation(0), context.activation(1)
        if (context.integer("a_zero_point"), context.integer("b_zero_point")) != (a.zero_point, b.zero_point):
            raise context.fail("a_zero_point and b_zero_point differ from those of the input tensors")
        multipliers = (context.integer("a_multiplier"), context.integer("b_multiplier"))
        if not all(1 <= m < 2**31 for m in multipliers):
            raise context.fail("a multiplier is not a positive int32")
        requant = context.requantization(np.ones(1, np.int32))
        return exact.Add(**context.common(2), multipliers=multipliers, requant=requant)
