"""Choosing multipliers and shifts: real ratios become `(acc * M + 2^(s-1)) >> s`, docs/numbers.md.

Where the proved accumulator leaves room for multipliers of at least ten bits (18 for an output of 16 bits) the product
stays inside int32 (three cheap instructions); otherwise multipliers have 31 bits and the product 64. Powers of two are
the exception: they are exact with the smallest multipliers, which is 1 where all channels agree, and then nothing is
multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Requantization

INT32_MAX = 2**31 - 1
MAX_SHIFT = 62
LARGEST_SUM_SHIFT = 30
"""Of a sum of two products, which stays inside int32."""
LEAST_NARROW_MULTIPLIER = 2**9
"""A multiplier below this loses too much precision to stay with the 32-bit product, where the output has 8 bits."""
LEAST_NARROW_MULTIPLIER_16 = 2**17
"""The same, where the output has 16 bits."""

Int64Array = npt.NDArray[np.int64]
RatioArray = npt.NDArray[np.float64]


def _multipliers(ratio: RatioArray, shift: int) -> RatioArray:
    # Doubles hold ratio * 2**shift exactly (a power of two) and every integer below 2**53, so this rounds once.
    return np.maximum(np.rint(np.ldexp(ratio, shift)), 1.0)


def product_fits_int32(multiplier: npt.NDArray[np.integer], shift: int, magnitude: Int64Array) -> bool:
    """Whether |acc| * multiplier + 2**(shift-1) stays inside int32 for |acc| up to `magnitude`, channel by channel."""
    largest = int(np.max(multiplier.astype(np.int64) * magnitude, initial=0))
    return largest + (1 << (shift - 1)) <= INT32_MAX


def _narrow(ratio: RatioArray, magnitude: Int64Array, least: int) -> tuple[npt.NDArray[np.int32], int] | None:
    for shift in range(31, 0, -1):
        real = _multipliers(ratio, shift)
        if real.max() > INT32_MAX:
            continue
        multiplier = real.astype(np.int32)
        if product_fits_int32(multiplier, shift, magnitude):
            return (multiplier, shift) if multiplier.min() >= least else None
    return None


def _wide(ratio: RatioArray, where: str) -> tuple[npt.NDArray[np.int32], int]:
    shift = 31 - int(np.frexp(ratio.max())[1])
    if _multipliers(ratio, shift).max() > INT32_MAX:  # the ratio rounds up to the next power of two
        shift -= 1
    if not 1 <= shift <= MAX_SHIFT:
        raise _extreme(float(ratio.max()), where)
    return _multipliers(ratio, shift).astype(np.int32), shift


def _powers_of_two(ratio: RatioArray) -> tuple[npt.NDArray[np.int32], int] | None:
    """The least multipliers for ratios that all are powers of two, which they then state exactly."""
    mantissa, exponent = np.frexp(ratio)
    shift = max(1, 1 - int(exponent.min()))
    if (mantissa != 0.5).any() or shift > MAX_SHIFT or _multipliers(ratio, shift).max() > INT32_MAX:
        return None
    return _multipliers(ratio, shift).astype(np.int32), shift


def _extreme(ratio: float, where: str) -> TinsmithError:
    return TinsmithError(
        f"one step of the accumulator is {ratio:.3g} steps of the output, which no shift in 1…{MAX_SHIFT} expresses",
        where=where,
        why="the scales of input, weight and output are too far apart",
        fix="calibrate with samples that use the whole range of this layer, or look for exploding or vanishing weights",
    )


def choose_requantization(
    ratio: RatioArray,
    acc_lo: Int64Array,
    acc_hi: Int64Array,
    *,
    zero_point: int,
    lo: int,
    hi: int,
    bits: int = 8,
    where: str = "",
) -> Requantization:
    """The requantization that multiplies an accumulator by `ratio`.

    The result differs from round(acc * ratio) by at most 1/2 for the rounding and |acc| * 2**-(shift + 1) for the
    multiplier; the multiplier's relative error is at most 2**-10 (narrow; 2**-18 for 16 bits) or 2**-31 (wide) in the
    largest channel.

    Args:
        ratio: (C,) real units of the accumulator in units of the output, s_x * s_w / s_y; positive.
        acc_lo: (C,) least accumulator, proved.
        acc_hi: (C,) largest accumulator, proved.
        zero_point: of the output.
        lo: least stored output.
        hi: largest stored output.
        bits: of the output.
        where: the layer, for errors.

    Raises:
        TinsmithError: a ratio that no multiplier and shift can express.
    """
    ratio = np.asarray(ratio, np.float64)
    if not (np.isfinite(ratio).all() and (ratio > 0).all()):
        raise _extreme(float(ratio[~(ratio > 0) | ~np.isfinite(ratio)][0]), where)
    magnitude = np.maximum(np.abs(acc_lo), np.abs(acc_hi)).astype(np.int64)
    alive = magnitude > 0
    if alive.any():  # a channel that is always 0 gives zero_point under any multiplier: it must not cost precision
        ratio = np.where(alive, ratio, ratio[alive].max())
    least = LEAST_NARROW_MULTIPLIER_16 if bits == 16 else LEAST_NARROW_MULTIPLIER
    multiplier, shift = _powers_of_two(ratio) or _narrow(ratio, magnitude, least) or _wide(ratio, where)
    wide = not product_fits_int32(multiplier, shift, magnitude)
    return Requantization(multiplier, shift, zero_point, lo, hi, wide)


def choose_addition(
    ratios: Sequence[float], magnitudes: Sequence[int], *, zero_point: int, lo: int, hi: int, where: str = ""
) -> tuple[tuple[int, int], Requantization]:
    """Multipliers of both operands and the common shift, so that the sum before the shift is inside int32.

    Args:
        ratios: scale of each operand over the output's; positive.
        magnitudes: largest |stored - zero_point| of each operand.
        zero_point: of the output.
        lo: least stored output.
        hi: largest stored output.
        where: the layer, for errors.

    Raises:
        TinsmithError: ratios that no multiplier and shift can express.
    """
    real = np.asarray(ratios, np.float64)
    largest = np.asarray(magnitudes, np.int64)
    exact = _powers_of_two(real)
    shifts = range(LARGEST_SUM_SHIFT, 0, -1)
    for shift in shifts if exact is None or exact[1] not in shifts else (exact[1], *shifts):
        scaled = _multipliers(real, shift)
        if not (scaled <= INT32_MAX).all():
            continue
        pair = scaled.astype(np.int64)
        if int((pair * largest).sum()) + (1 << (shift - 1)) <= INT32_MAX:
            requant = Requantization(np.ones(1, np.int32), shift, zero_point, lo, hi, wide=False)
            return (int(pair[0]), int(pair[1])), requant
    raise _extreme(float(real.max()), where)


def requantize(acc: npt.NDArray[np.integer], requant: Requantization) -> Int64Array:
    """Requantize an int32 accumulator whose first axis is the channel; the reference in int64."""
    multiplier = requant.multiplier.astype(np.int64).reshape(-1, *[1] * (acc.ndim - 1))
    shifted: Int64Array = (acc.astype(np.int64) * multiplier + (1 << (requant.shift - 1))) >> requant.shift
    return np.clip(shifted + requant.zero_point, requant.lo, requant.hi)
