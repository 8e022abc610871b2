"""Functions of two straight pieces a channel: composed in real numbers, then brought to integers with one rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Int32Array, Tensor
from tinsmith.numerics.requantize import INT32_MAX
from tinsmith.numerics.thresholds import Reals

LARGEST_SHIFT = 30
SPAN = 512
"""Steps of the output: more than twice what 8 bits hold."""


@dataclass(frozen=True)
class Pieces:
    """f(x) = slope[k] * x + offset[k] with k = 1 where x >= knee, else 0.

    Attributes:
        knee: (C,) real, minus infinity where there is one piece only.
        slope: (2, C) real.
        offset: (2, C) real.
    """

    knee: Reals
    slope: Reals
    offset: Reals

    @staticmethod
    def identity(channels: int) -> Pieces:
        """f(x) = x."""
        return Pieces(np.full(channels, -np.inf), np.ones((2, channels)), np.zeros((2, channels)))

    @staticmethod
    def step(knee: Reals) -> Pieces:
        """f(x) = 1 where x >= knee, else -1."""
        zero = np.zeros((2, len(knee)))
        return Pieces(knee, zero, zero + np.array([[-1.0], [1.0]]))

    def scaled(self, factor: Reals | float) -> Pieces:
        """factor * f, one factor a channel or one for all."""
        return replace(self, slope=self.slope * factor, offset=self.offset * factor)

    def shifted(self, summand: Reals | float) -> Pieces:
        """f + summand, one summand a channel or one for all."""
        return replace(self, offset=self.offset + summand)

    def bent(self, negative_slope: Reals | float) -> Pieces:
        """PRelu of f, which must have one piece: f where f >= 0, else negative_slope * f."""
        slope, offset = self.slope[0], self.offset[0]
        rising = np.broadcast_to(np.asarray(negative_slope, np.float64), slope.shape)
        flat = slope == 0
        factor = np.where(flat & (offset < 0), rising, 1.0)  # a constant lies on one side of the knee for all x
        low = np.where(slope > 0, rising, factor)
        high = np.where(slope < 0, rising, factor)
        knee = np.where(flat, -np.inf, -offset / np.where(flat, 1.0, slope))
        factors = np.stack([low, high])
        return Pieces(knee, slope * factors, offset * factors)


@dataclass(frozen=True)
class IntegerPieces:
    """The fields of a PiecewiseLinear record."""

    knee: Int32Array
    multiplier: Int32Array
    offset: Int32Array
    shift: int


def choose_pieces(pieces: Pieces, x: Tensor, y_scale: float, where: str = "") -> IntegerPieces:
    """The integers of `pieces` on the grids of an 8-bit input and output, with the largest shift that fits int32.

    Args:
        pieces: the real function.
        x: the input.
        y_scale: scale of the output.
        where: the layer, for errors.

    Raises:
        TinsmithError: slopes so steep that no shift is left.
    """
    lo, hi = x.lo - x.zero_point, x.hi - x.zero_point
    reach = max(-lo, hi, 1)
    slope = pieces.slope * (x.scale / y_scale)
    # An offset that keeps the output past its limits for every input may be any such offset.
    bound = np.abs(slope) * reach + SPAN
    offset = np.clip(pieces.offset / y_scale, -bound, bound)
    knee = np.clip(np.ceil(pieces.knee / x.scale), lo, hi + 1).astype(np.int32)
    for shift in range(LARGEST_SHIFT, 0, -1):
        multipliers, offsets = (np.rint(np.ldexp(part, shift)) for part in (slope, offset))
        if (np.abs(multipliers) * reach + np.abs(offsets)).max() + 2.0 ** (shift - 1) <= INT32_MAX:
            return IntegerPieces(knee, multipliers.astype(np.int32), offsets.astype(np.int32), shift)
    raise TinsmithError(
        f"one step of its input is {np.abs(slope).max():.3g} steps of its output",
        where=where,
        why="32-bit products do not hold that",
        fix="calibrate with samples that use the whole range of this layer, or look for exploding weights",
    )
