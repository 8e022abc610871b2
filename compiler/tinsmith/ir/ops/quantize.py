"""`ai.tinsmith.Quantize`: binary32 to 8 bit, at the graph's inputs."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import TYPES, Operator, ReadContext, WriteContext


class Quantize(Operator[exact.Quantize]):
    """y = zero_point + clip(round_half_even(x / scale), lo - zero_point, hi - zero_point)."""

    name = "Quantize"
    record: ClassVar[type[exact.Layer]] = exact.Quantize
    body = """
Quantize <scale, zero_point, lo, hi, to> (x) => (y)
{
  s = Constant <value_float: float = @scale> ()
  zero = Constant <value_int: int = @zero_point> ()
  lo_int = Constant <value_int: int = @lo> ()
  hi_int = Constant <value_int: int = @hi> ()
  least_int = Sub (lo_int, zero)
  most_int = Sub (hi_int, zero)
  least = Cast <to = 1> (least_int)
  most = Cast <to = 1> (most_int)
  ratio = Div (x, s)
  rounded = Round (ratio)
  clipped = Clip (rounded, least, most)
  whole = Cast <to = 7> (clipped)
  moved = Add (whole, zero)
  y = Cast <to: int = @to> (moved)
}"""

    def write(self, layer: exact.Quantize, context: WriteContext) -> ir.Node:
        """The node; scale, zero point and range are the output tensor's."""
        y = context.tensors[layer.output]
        attributes = {
            "scale": ir.AttrFloat32("scale", y.scale),
            "zero_point": ir.AttrInt64("zero_point", y.zero_point),
            "lo": ir.AttrInt64("lo", y.lo),
            "hi": ir.AttrInt64("hi", y.hi),
            "to": ir.AttrInt64("to", int(TYPES[y.dtype])),
        }
        return context.node(self, layer, attributes=attributes)

    def read(self, context: ReadContext) -> exact.Quantize:
        """The record; the attributes must be those of the output tensor."""
        common = context.common(1)
        y = context.tensors[common["output"]]
        stated = (context.real("scale"), context.integer("zero_point"), context.integer("lo"), context.integer("hi"))
        if stated != (y.scale, y.zero_point, y.lo, y.hi):
            raise context.fail(f"scale, zero point and range {stated} differ from those of tensor {y.name!r}")
        return exact.Quantize(**common)
