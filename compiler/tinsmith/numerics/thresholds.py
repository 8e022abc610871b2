"""Integer limits of thresholds, derived in rational arithmetic: no rounding stands between scales and the limit."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, isfinite

import numpy as np
import numpy.typing as npt

from tinsmith.ir.exact import Int32Array
from tinsmith.numerics.requantize import INT32_MAX, Int64Array

Reals = npt.NDArray[np.float64]


def limits(unit: Reals, bias: Reals, threshold: Reals, lo: Int64Array, hi: Int64Array) -> Int32Array:
    """(C,) the least accumulator for which acc * unit + bias >= threshold, channel by channel.

    Args:
        unit: (C,) real value of one step of the accumulator, not negative; 0 where only the bias counts.
        bias: (C,) real, finite.
        threshold: (C,) real; infinite where the channel is constant.
        lo: (C,) least accumulator, proved: the limit of a channel that is always reached.
        hi: (C,) largest accumulator, proved: hi + 1 is the limit of a channel that never is.
    """
    found = [
        _limit(float(u), float(b), float(t), int(least), int(most))
        for u, b, t, least, most in zip(*np.broadcast_arrays(unit, bias, threshold, lo, hi), strict=True)
    ]
    # Accumulators that pass int32 are refused when ranges are proved; here they only must not overflow.
    return np.clip(np.array(found, np.int64), -INT32_MAX, INT32_MAX).astype(np.int32)


def _limit(unit: float, bias: float, threshold: float, lo: int, hi: int) -> int:
    if unit == 0 or not isfinite(threshold):
        return lo if bias >= threshold else hi + 1
    # Fractions hold binary floating-point numbers exactly.
    return min(max(ceil((Fraction(threshold) - Fraction(bias)) / Fraction(unit)), lo), hi + 1)
