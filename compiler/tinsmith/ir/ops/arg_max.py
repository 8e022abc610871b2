"""Standard `ArgMax` of an 8-bit tensor along its last axis."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class ArgMax(Operator[exact.ArgMax]):
    """Index of the first maximum, int64."""

    name = "ArgMax"
    domain = ""
    record: ClassVar[type[exact.Layer]] = exact.ArgMax

    def write(self, layer: exact.ArgMax, context: WriteContext) -> ir.Node:
        """The node; `keepdims` follows from the output's shape."""
        x, y = context.tensors[layer.inputs[0]], context.tensors[layer.output]
        keep = int(len(x.shape) == len(y.shape))
        attributes = {"axis": ir.AttrInt64("axis", -1), "keepdims": ir.AttrInt64("keepdims", keep)}
        return context.node(self, layer, attributes=attributes)

    def read(self, context: ReadContext) -> exact.ArgMax:
        """The record."""
        rank, axis = len(context.activation(0).shape), context.integer("axis")
        if axis % rank != rank - 1 or set(context.node.attributes) != {"axis", "keepdims"}:
            raise context.fail("ArgMax must run along the last axis and take the first maximum")
        return exact.ArgMax(**context.common(1))
