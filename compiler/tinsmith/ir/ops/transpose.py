"""Standard `Transpose` of an 8-bit tensor."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class Transpose(Operator[exact.Transpose]):
    """Output axis i is input axis perm[i]."""

    name = "Transpose"
    domain = ""
    record: ClassVar[type[exact.Layer]] = exact.Transpose

    def write(self, layer: exact.Transpose, context: WriteContext) -> ir.Node:
        """The node."""
        return context.node(self, layer, attributes={"perm": ir.AttrInt64s("perm", layer.perm)})

    def read(self, context: ReadContext) -> exact.Transpose:
        """The record."""
        rank = len(context.activation(0).shape)
        perm = context.ints("perm", rank)
        if sorted(perm) != list(range(rank)):
            raise context.fail(f"perm {perm} is no permutation")
        return exact.Transpose(**context.common(1), perm=perm)
