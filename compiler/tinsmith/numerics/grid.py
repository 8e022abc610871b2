"""The grid of an activation, of 8 or 16 bits: which real numbers its stored values mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinsmith.ir.ops.base import LIMITS

SMALLEST_RANGE = 2.0**-60
"""A tensor whose values are all smaller is taken as zero: its scale would drive multipliers out of their range."""
LARGEST_RANGE = 2.0**60
"""Beyond it binary32 products of scales come near overflow."""


@dataclass(frozen=True)
class Grid:
    """real = scale * (stored - zero_point); `scale` is exactly representable in binary32."""

    scale: float
    zero_point: int
    dtype: Literal["uint8", "int8", "int16"]

    @property
    def bits(self) -> Literal[8, 16]:
        """Of a stored value."""
        return 16 if self.dtype == "int16" else 8

    @property
    def stored_limits(self) -> tuple[int, int]:
        """Smallest and largest stored value."""
        return LIMITS[self.dtype]

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest real value."""
        lo, hi = self.stored_limits
        return (lo - self.zero_point) * self.scale, (hi - self.zero_point) * self.scale

    def round_trip(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Real values as they come back from the stored ones."""
        lo, hi = self.stored_limits
        return self.scale * np.clip(np.rint(values / self.scale), lo - self.zero_point, hi - self.zero_point)


def grid_for(
    lo: float, hi: float, *, non_negative: bool, asymmetric: bool, powers_of_two: bool = False, wide: bool = False
) -> Grid:
    """The grid that holds [lo, hi] and 0.

    uint8 with zero point 0 where `non_negative`; else int8 with zero point 0, or with `asymmetric` uint8 with the
    zero point that wastes least; or, `wide`, always int16 with zero point 0. With `powers_of_two` the scale is the
    least power of two that does.

    Raises:
        ValueError: the range is not finite or passes `LARGEST_RANGE`.
    """
    lo, hi = min(lo, 0.0), max(hi, 0.0)
    if not (np.isfinite(lo) and np.isfinite(hi)) or max(-lo, hi) > LARGEST_RANGE:
        raise ValueError(f"range [{lo}, {hi}] is too large for a binary32 scale")
    if max(-lo, hi) < SMALLEST_RANGE:
        return Grid(1.0, 0, "int16" if wide else "uint8" if non_negative else "int8")
    rounded = power_of_two_above if powers_of_two else _binary32
    if wide:
        return Grid(rounded(max(hi / 32767, -lo / 32768)), 0, "int16")
    if non_negative:
        return Grid(rounded(hi / 255), 0, "uint8")
    if asymmetric:
        scale = rounded((hi - lo) / 255)
        return Grid(scale, round(-lo / scale), "uint8")
    return Grid(rounded(max(hi / 127, -lo / 128)), 0, "int8")


def power_of_two_above(value: float) -> float:
    """The least power of two that is not below `value`, which is positive."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(1.0, exponent - (mantissa == 0.5))


def _binary32(value: float) -> float:
    return float(np.float32(value))
