"""`BinaryConv`: a convolution of ±1 by ±1, scaled."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.trained.node import Ints, convolved, trained_node

BODY = """
BinaryConv <strides, pads, dilations, pad_value> (x, w, scale, bias) => (y) {
  pad_integer = Constant <value_int: int = @pad_value> ()
  pad = Cast <to = 1> (pad_integer)
  weight = Cast <to = 1> (w)
  above_pad = Sub (x, pad)
  products = Mul (weight, pad)
  rows = Flatten <axis = 1> (products)
  columns = Constant <value_ints = [1]> ()
  if_all_were_pad = ReduceSum <keepdims = 0> (rows, columns)
  sums = Conv <strides: ints = @strides, pads: ints = @pads, dilations: ints = @dilations>
    (above_pad, weight, if_all_were_pad)
  y = ai.tinsmith.trained.Scaled (sums, scale, bias)
}
"""
"""Padding with zeros pads x - pad_value; what that takes away is pad_value times the sum of all weights."""


def binary_conv(
    x: ir.Value,
    w: ir.Value,
    scale: ir.Value,
    bias: ir.Value,
    *,
    strides: Ints,
    pads: Ints,
    dilations: Ints,
    pad_value: int,
) -> ir.Node:
    """conv(x, w) * scale[o] + bias[o]; x float32 ±1 (1, I, *space), w int8 ±1 (O, I, *kernel), dense.

    Args:
        x: padded with `pad_value`, which is -1, 0 or 1.
        w: weights.
        scale: float32 (O,).
        bias: float32 (O,).
        strides: one number an axis.
        pads: of each axis before, then of each axis behind.
        dilations: one number an axis.
        pad_value: what the padding counts as.
    """
    attributes: dict[str, int | Ints] = {
        "strides": strides,
        "pads": pads,
        "dilations": dilations,
        "pad_value": pad_value,
    }
    shape = convolved(x, w, strides, pads, dilations)
    return trained_node("BinaryConv", [x, w, scale, bias], shape, attributes)
