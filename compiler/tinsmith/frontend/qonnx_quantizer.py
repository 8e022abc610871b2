"""What a quantizer of a QONNX file does, read from its node: BipolarQuant, Quant and its newer name IntQuant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinsmith.constraints.view import NodeView
from tinsmith.errors import Problems

Array = npt.NDArray[Any]

QUANTIZERS = ("BipolarQuant", "Quant", "IntQuant")
MOST_BITS = 8
_ROUNDING = ("ROUND", "HALF_EVEN")
"""Names of the one rounding that is taken: to the nearest, halves to even."""
_WHY = {
    "Trunc": "dropping low bits of a sum is no rounding that targets have",
    "FloatQuant": "values between layers are integers",
    "MultiThreshold": "this is a network that FINN has transformed; Tinsmith reads what training exported",
}


@dataclass(frozen=True)
class Quantizer:
    """y = scale * round_half_even(clip(x / scale, lo, hi)), in binary32; bipolar: scale where x >= 0, else -scale.

    `lo` and `hi` are -1 and 1 where it is bipolar. `scale` is float32, of a shape that broadcasts to x.
    """

    scale: Array
    lo: int
    hi: int
    bipolar: bool

    def steps(self, x: Array) -> Array:
        """The whole numbers that stand for `x`, as float32."""
        if self.bipolar:
            return np.where(x >= 0, np.float32(1), np.float32(-1))
        return np.rint(np.clip(x / self.scale, np.float32(self.lo), np.float32(self.hi)))


def read_quantizer(node: NodeView, problems: Problems, most_bits: int = MOST_BITS) -> Quantizer | None:
    """The quantizer that `node` is; None, and every reason in `problems`, where it is none that is taken.

    Args:
        node: a node of a QONNX domain.
        problems: where to note what is wrong.
        most_bits: the widest that is taken.
    """
    if node.op not in QUANTIZERS:
        why = _WHY.get(node.op, f"of the QONNX operators, {', '.join(QUANTIZERS)} are taken")
        problems.add("it is not supported", where=node.label, why=why, fix="export the network without it")
        return None
    found, inputs = len(problems.found), 2 if node.op == "BipolarQuant" else 4
    if sum(map(node.has, range(inputs))) < inputs:
        why = f"{node.op} has {inputs}"
        problems.add("inputs are missing", where=node.label, why=why, fix="export the network again")
        return None
    scale = _scale(node, problems)
    if node.op == "BipolarQuant":
        return None if scale is None else Quantizer(scale, -1, 1, bipolar=True)
    bits = _bits(node, problems, most_bits)
    _check_zero_point(node, problems)
    _check_rounding(node, problems)
    if scale is None or bits is None or len(problems.found) > found:
        return None
    signed, narrow = (bool(node.attributes.get(name, 1)) for name in ("signed", "narrow"))
    if signed and bits == 1:  # what QONNX computes here, though the formula for more bits gives -1 and 0
        return Quantizer(scale, -1, 1, bipolar=True)
    if signed:
        return Quantizer(scale, -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1, bipolar=False)
    return Quantizer(scale, 0, (1 << bits) - 1 - narrow, bipolar=False)


def _scale(node: NodeView, problems: Problems) -> Array | None:
    scale = node.constant(1)
    if scale is None:
        why = "integers between layers have a scale that is known at compile time"
        problems.add("its scale is not a constant", where=node.label, why=why, fix="export with a constant scale")
    elif not (np.isfinite(scale).all() and (scale > 0).all()):
        what = f"its scale is {scale.min():g}, not positive and finite"
        problems.add(what, where=node.label, why="nothing has such a scale", fix="train the scale again")
        return None
    return None if scale is None else scale.astype(np.float32)


def _bits(node: NodeView, problems: Problems, most: int) -> int | None:
    bits = node.constant(3)
    if bits is None or bits.size != 1:
        why = "the width of a tensor is known at compile time"
        problems.add("its bit width is not one constant", where=node.label, why=why, fix="use one width a tensor")
        return None
    width = float(bits.reshape(-1)[0])
    if width != int(width) or not 1 <= width <= most:
        why = f"tensors have 1 to {most} bits"
        problems.add(f"its bit width is {width:g}", where=node.label, why=why, fix=f"train it with at most {most} bits")
        return None
    return int(width)


def _check_zero_point(node: NodeView, problems: Problems) -> None:
    zero = node.constant(2)
    if zero is None or np.any(zero):
        what = "its zero point is not a constant" if zero is None else f"its zero point is {zero.reshape(-1)[0]:g}"
        why = "quantized networks that are trained elsewhere are taken with zero point 0"
        problems.add(what, where=node.label, why=why, fix="use a symmetric quantizer, or an unsigned one behind a ReLU")


def _check_rounding(node: NodeView, problems: Problems) -> None:
    mode = node.attributes.get("rounding_mode", "ROUND")
    if str(mode).upper() not in _ROUNDING:
        why = "a build rounds to the nearest integer"
        fix = f"train with rounding mode {_ROUNDING[0]}"
        problems.add(f"its rounding mode is {mode}", where=node.label, why=why, fix=fix)
