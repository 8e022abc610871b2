"""`ai.tinsmith.Multiply`, `MultiplyThreshold`: an 8-bit tensor times another, or times constants."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.channels import channel_axis, read_channels, spread
from tinsmith.ir.ops.ending import EndedOperator, Form, ending_attributes, ending_constants


class Multiply(EndedOperator[exact.Multiply]):
    """acc = (a - a_zero_point) * (b - b_zero_point) + bias, b broadcast; bias and the ending's are (C, 1, ...)."""

    stem = "Multiply"
    record: ClassVar[type[exact.Layer]] = exact.Multiply

    def text(self, form: Form) -> str:
        """The function body."""
        return f"""
{self.name} <a_zero_point, b_zero_point{form.attributes}> (a, b, bias, {form.vector}) => (y)
{{
  a_zero_int = Constant <value_int: int = @a_zero_point> ()
  b_zero_int = Constant <value_int: int = @b_zero_point> ()
  a_zero = Cast <to = 6> (a_zero_int)
  b_zero = Cast <to = 6> (b_zero_int)
  a_wide = Cast <to = 6> (a)
  b_wide = Cast <to = 6> (b)
  a_true = Sub (a_wide, a_zero)
  b_true = Sub (b_wide, b_zero)
  product = Mul (a_true, b_true)
  acc = Add (product, bias)
  y = {form.call} (acc, {form.vector})
}}"""

    def write(self, layer: exact.Multiply, context: WriteContext) -> ir.Node:
        """The node; its constants are factor (where b is no tensor), bias, and multiplier or limit."""
        a, *b = (context.tensors[name] for name in layer.inputs)
        attributes = {
            "a_zero_point": ir.AttrInt64("a_zero_point", a.zero_point),
            "b_zero_point": ir.AttrInt64("b_zero_point", b[0].zero_point if b else 0),
            **ending_attributes(layer.ending, context.tensors[layer.output]),
        }
        vectors = {"bias": layer.bias, **ending_constants(self.form, layer.ending)}
        constants = {name: spread(vector, layer.axis, len(a.shape)) for name, vector in vectors.items()}
        factor = {} if layer.factor is None else {"factor": layer.factor}
        return context.node(self, layer, {**factor, **constants}, attributes)

    def read(self, context: ReadContext) -> exact.Multiply:
        """The record."""
        rank = context.rank_of_constant(1)
        factor = None if rank is None else context.constant(1, "int8", rank)
        zeros = (context.activation(0).zero_point, 0 if factor is not None else context.activation(1).zero_point)
        if (context.integer("a_zero_point"), context.integer("b_zero_point")) != zeros:
            raise context.fail("a_zero_point and b_zero_point differ from those of the inputs")
        axis = channel_axis(context, 2)
        return exact.Multiply(
            **context.common(1 if factor is not None else 2),
            axis=axis,
            factor=factor,
            bias=read_channels(context, 2, "int32", axis),
            ending=self.read_ending(context, read_channels(context, 3, "int32", axis)),
        )
