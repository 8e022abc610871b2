"""Standard `Concat` of 8-bit tensors."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class Concat(Operator[exact.Concat]):
    """Tensors of one scale and zero point, one after the other along an axis."""

    name = "Concat"
    domain = ""
    record: ClassVar[type[exact.Layer]] = exact.Concat

    def write(self, layer: exact.Concat, context: WriteContext) -> ir.Node:
        """The node."""
        return context.node(self, layer, attributes={"axis": ir.AttrInt64("axis", layer.axis)})

    def read(self, context: ReadContext) -> exact.Concat:
        """The record; the axis counted from the front."""
        common = context.common(len(context.node.inputs))
        rank, axis = len(context.activation(0).shape), context.integer("axis")
        if not -rank <= axis < rank:
            raise context.fail(f"axis {axis} does not exist in {rank} dimensions")
        return exact.Concat(**common, axis=axis % rank)
