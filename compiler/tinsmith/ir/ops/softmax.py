"""`ai.tinsmith.Softmax`: exponentials from a table of integers, an integer sum, one binary32 division."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class Softmax(Operator[exact.Softmax]):
    """Along the last axis: e = table[max(x) - x]; y = float32(e) / float32(sum(e))."""

    name = "Softmax"
    record: ClassVar[type[exact.Layer]] = exact.Softmax
    body = """
Softmax (x, table) => (y)
{
  wide = Cast <to = 6> (x)
  last = Constant <value_ints = [-1]> ()
  top = ReduceMax <keepdims = 1> (wide, last)
  below = Sub (top, wide)
  powers = Gather (table, below)
  total = ReduceSum <keepdims = 1> (powers, last)
  numerator = Cast <to = 1> (powers)
  denominator = Cast <to = 1> (total)
  y = Div (numerator, denominator)
}"""

    def write(self, layer: exact.Softmax, context: WriteContext) -> ir.Node:
        """The node; its constant is table (256,)."""
        return context.node(self, layer, {"table": layer.table})

    def read(self, context: ReadContext) -> exact.Softmax:
        """The record."""
        table = context.constant(1, "int32", 1)
        if table.shape != (256,) or (table < 0).any() or table[0] < 1:
            raise context.fail("the table of exponentials must hold 256 numbers of at least 0, the first at least 1")
        return exact.Softmax(**context.common(1), table=table)
