"""Standard `MaxPool` on an 8-bit tensor."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext


class MaxPool(Operator[exact.MaxPool]):
    """The largest stored value of the window; padding never wins."""

    name = "MaxPool"
    domain = ""
    record: ClassVar[type[exact.Layer]] = exact.MaxPool

    def write(self, layer: exact.MaxPool, context: WriteContext) -> ir.Node:
        """The node, every attribute spelt out."""
        attributes = {
            "kernel_shape": ir.AttrInt64s("kernel_shape", layer.kernel),
            "strides": ir.AttrInt64s("strides", layer.strides),
            "pads": ir.AttrInt64s("pads", layer.pads),
            "dilations": ir.AttrInt64s("dilations", layer.dilations),
        }
        return context.node(self, layer, attributes=attributes)

    def read(self, context: ReadContext) -> exact.MaxPool:
        """The record."""
        known = {"kernel_shape", "strides", "pads", "dilations"}
        if set(context.node.attributes) - known or len(context.node.outputs) != 1:
            raise context.fail(f"a pool of the exact graph has the attributes {sorted(known)} and one output")
        return exact.MaxPool(
            **context.common(1),
            kernel=context.pair("kernel_shape"),
            strides=context.pair("strides"),
            pads=context.pads(),
            dilations=context.pair("dilations"),
        )
