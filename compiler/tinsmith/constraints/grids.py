"""Constraints of QuantizeLinear and DequantizeLinear, by which a file says which values have which grid."""

from __future__ import annotations

import numpy as np

from tinsmith.constraints.view import NodeView


def grid_is_constant(node: NodeView) -> str | None:
    """Scale and zero point are constants, one of each for a value, uint8 or int8; the scale is positive and finite.

    Quantize activations per tensor, to 8 bits.
    """
    scale, zero = node.constant(1), node.constant(2)
    if scale is None or zero is None:
        return f"its {'scale' if scale is None else 'zero point'} is not given as a constant"
    if scale.size != 1 or zero.size != 1:
        return f"it has {scale.size} scales and {zero.size} zero points"
    if zero.dtype not in (np.uint8, np.int8):
        return f"it makes {zero.dtype}"
    return None if np.isfinite(scale).all() and scale.min() > 0 else f"its scale is {float(scale.reshape(-1)[0]):g}"


def is_dequantized(node: NodeView) -> str | None:
    """Nothing but DequantizeLinear, with the same scale and zero point, reads what QuantizeLinear makes.

    Export in QDQ form: between two pairs, operators work on float32.
    """
    if node.is_output():
        return "its result is an output"
    for reader in node.consumers():
        if reader.op != "DequantizeLinear":
            return f"{reader.label} reads it"
        for i in (1, 2):
            ours, theirs = node.constant(i), reader.constant(i)
            if ours is not None and theirs is not None and (ours.dtype != theirs.dtype or np.any(ours != theirs)):
                return f"{reader.label} reads it with another {('scale', 'zero point')[i - 1]}"
    return None


def reads_what_was_quantized(node: NodeView) -> str | None:
    """DequantizeLinear reads the result of a QuantizeLinear, or a constant, which is computed while the file is read.

    Let the model take and give float32.
    """
    made = node.producer()
    return None if made is not None and made.op == "QuantizeLinear" else f"it reads {node.proto.input[0]!r}"
