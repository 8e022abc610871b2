"""`ShiftConv`: a convolution by ± powers of two, scaled."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.trained.node import Ints, convolved, trained_node

BODY = """
ShiftConv <strides, pads, dilations, group, bits> (x, codes, scale, bias) => (y) {
  weight = ai.tinsmith.trained.ShiftWeight <bits: int = @bits> (codes)
  sums = Conv <strides: ints = @strides, pads: ints = @pads, dilations: ints = @dilations, group: int = @group>
    (x, weight)
  y = ai.tinsmith.trained.Scaled (sums, scale, bias)
}
"""


def shift_conv(
    x: ir.Value,
    codes: ir.Value,
    scale: ir.Value,
    bias: ir.Value,
    *,
    strides: Ints,
    pads: Ints,
    dilations: Ints,
    group: int,
    bits: int,
) -> ir.Node:
    """conv(x, weight) * scale[o] + bias[o]; x float32 (1, I, *space), padded with zeros.

    Args:
        x: any values.
        codes: uint8 (O, I / group, *kernel), as in codes.py.
        scale: float32 (O,).
        bias: float32 (O,).
        strides: one number an axis.
        pads: of each axis before, then of each axis behind.
        dilations: one number an axis.
        group: number of groups.
        bits: of a code: 2, 3 or 4.
    """
    attributes: dict[str, int | Ints] = {
        "strides": strides,
        "pads": pads,
        "dilations": dilations,
        "group": group,
        "bits": bits,
    }
    shape = convolved(x, codes, strides, pads, dilations)
    return trained_node("ShiftConv", [x, codes, scale, bias], shape, attributes)
