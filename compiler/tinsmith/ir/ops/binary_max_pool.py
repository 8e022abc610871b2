"""`ai.tinsmith.BinaryMaxPool`: the largest bit of a window, or the smallest in channels whose sign is -1."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext
from tinsmith.ir.ops.channels import read_channels, spread
from tinsmith.ir.ops.weights import require_signs


class BinaryMaxPool(Operator[exact.BinaryMaxPool]):
    """y = sign * max(sign * x); padding never wins."""

    name = "BinaryMaxPool"
    record: ClassVar[type[exact.Layer]] = exact.BinaryMaxPool
    body = """
BinaryMaxPool <kernel_shape, strides, pads, dilations> (x, sign) => (y)
{
  wide = Cast <to = 6> (x)
  wide_sign = Cast <to = 6> (sign)
  turned = Mul (wide, wide_sign)
  narrow = Cast <to = 3> (turned)
  largest = MaxPool <kernel_shape: ints = @kernel_shape, strides: ints = @strides, pads: ints = @pads,
    dilations: ints = @dilations> (narrow)
  wide_largest = Cast <to = 6> (largest)
  back = Mul (wide_largest, wide_sign)
  y = Cast <to = 3> (back)
}"""

    def write(self, layer: exact.BinaryMaxPool, context: WriteContext) -> ir.Node:
        """The node; its constant is sign (C, 1, 1)."""
        attributes = {
            "kernel_shape": ir.AttrInt64s("kernel_shape", layer.kernel),
            "strides": ir.AttrInt64s("strides", layer.strides),
            "pads": ir.AttrInt64s("pads", layer.pads),
            "dilations": ir.AttrInt64s("dilations", layer.dilations),
        }
        return context.node(self, layer, {"sign": spread(layer.sign, 1, 4)}, attributes)

    def read(self, context: ReadContext) -> exact.BinaryMaxPool:
        """The record."""
        if len(context.activation(0).shape) != 4:
            raise context.fail("its input has no four dimensions")
        return exact.BinaryMaxPool(
            **context.common(1),
            sign=require_signs(context, read_channels(context, 1, "int8", axis=1)),
            kernel=context.pair("kernel_shape"),
            strides=context.pair("strides"),
            pads=context.pads(),
            dilations=context.pair("dilations"),
        )
