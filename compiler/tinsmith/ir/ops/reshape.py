"""Standard `Reshape` of an 8-bit tensor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class Reshape(Operator[exact.Reshape]):
    """The same elements in ONNX order under another shape; the shape is a constant without -1 and 0."""

    name = "Reshape"
    domain = ""
    record: ClassVar[type[exact.Layer]] = exact.Reshape

    def write(self, layer: exact.Reshape, context: WriteContext) -> ir.Node:
        """The node; its constant is the output's shape."""
        return context.node(self, layer, {"shape": np.array(context.tensors[layer.output].shape, np.int64)})

    def read(self, context: ReadContext) -> exact.Reshape:
        """The record."""
        common = context.common(1)
        shape = tuple(int(n) for n in context.constant(1, "int64", 1))
        if shape != context.tensors[common["output"]].shape:
            raise context.fail(f"the constant {shape} is not the shape of the output")
        return exact.Reshape(**common)
