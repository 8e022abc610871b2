"""`ai.tinsmith.Table`: any function of one 8-bit value, as its 256 results."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class Table(Operator[exact.Table]):
    """y = table[x mod 256]: Gather counts negative indices from the table's end."""

    name = "Table"
    record: ClassVar[type[exact.Layer]] = exact.Table
    body = """
Table (x, table) => (y)
{
  index = Cast <to = 6> (x)
  y = Gather (table, index)
}"""

    def write(self, layer: exact.Table, context: WriteContext) -> ir.Node:
        """The node; its constant is table (256,)."""
        return context.node(self, layer, {"table": layer.table})

    def read(self, context: ReadContext) -> exact.Table:
        """The record."""
        table = context.constant(1, context.output().dtype, 1)
        if table.shape != (256,):
            raise context.fail(f"its table holds {table.shape[0]} numbers, not 256")
        return exact.Table(**context.common(1), table=table)
