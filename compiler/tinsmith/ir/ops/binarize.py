"""`ai.tinsmith.Binarize`: an 8-bit tensor to one bit by a limit a channel."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.ops import threshold
from tinsmith.ir.ops.base import Operator, ReadContext, WriteContext
from tinsmith.ir.ops.channels import channel_axis, read_channels, spread
from tinsmith.ir.ops.scalars import read_zero_point
from tinsmith.ir.ops.weights import require_signs


class Binarize(Operator[exact.Binarize]):
    """acc = sign * (x - x_zero_point), then the threshold; sign and limit are (C, 1, ...), C along one axis."""

    name = "Binarize"
    record: ClassVar[type[exact.Layer]] = exact.Binarize
    body = f"""
Binarize <x_zero_point> (x, sign, limit) => (y)
{{
  zero_int = Constant <value_int: int = @x_zero_point> ()
  zero = Cast <to = 6> (zero_int)
  wide = Cast <to = 6> (x)
  true = Sub (wide, zero)
  wide_sign = Cast <to = 6> (sign)
  acc = Mul (true, wide_sign)
  y = {threshold.CALL} (acc, limit)
}}"""

    def write(self, layer: exact.Binarize, context: WriteContext) -> ir.Node:
        """The node; its constants are sign and limit."""
        x = context.tensors[layer.inputs[0]]
        attributes = {"x_zero_point": ir.AttrInt64("x_zero_point", x.zero_point)}
        constants = {name: spread(getattr(layer, name), layer.axis, len(x.shape)) for name in ("sign", "limit")}
        return context.node(self, layer, constants, attributes)

    def read(self, context: ReadContext) -> exact.Binarize:
        """The record."""
        read_zero_point(context)
        axis = channel_axis(context, 2)
        sign = require_signs(context, read_channels(context, 1, "int8", axis))
        return exact.Binarize(**context.common(1), axis=axis, sign=sign, limit=read_channels(context, 2, "int32", axis))
