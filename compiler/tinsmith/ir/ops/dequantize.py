"""`ai.tinsmith.Dequantize`: 8 bit or accumulators to binary32, at the graph's outputs."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class Dequantize(Operator[exact.Dequantize]):
    """y = float32(x - zero_point) * scale: one correctly rounded product."""

    name = "Dequantize"
    record: ClassVar[type[exact.Layer]] = exact.Dequantize
    body = """
Dequantize <scale, zero_point> (x) => (y)
{
  s = Constant <value_float: float = @scale> ()
  zero = Constant <value_int: int = @zero_point> ()
  wide = Cast <to = 7> (x)
  whole = Sub (wide, zero)
  real = Cast <to = 1> (whole)
  y = Mul (real, s)
}"""

    def write(self, layer: exact.Dequantize, context: WriteContext) -> ir.Node:
        """The node; scale and zero point are the input tensor's."""
        x = context.tensors[layer.inputs[0]]
        attributes = {
            "scale": ir.AttrFloat32("scale", x.scale),
            "zero_point": ir.AttrInt64("zero_point", x.zero_point),
        }
        return context.node(self, layer, attributes=attributes)

    def read(self, context: ReadContext) -> exact.Dequantize:
        """The record; the attributes must be those of the input tensor."""
        x = context.activation(0)
        stated = (context.real("scale"), context.integer("zero_point"))
        if stated != (x.scale, x.zero_point):
            raise context.fail(f"scale and zero point {stated} differ from those of tensor {x.name!r}")
        return exact.Dequantize(**context.common(1))
