"""The three calibrators: each chooses a range [lo, hi] for one activation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinsmith.numerics.grid import Grid, grid_for
from tinsmith.numerics.observers import Histogram

RealRange = tuple[float, float]

_FRACTIONS = np.linspace(0.1, 1.0, 91)
"""Parts of the full range that `mse` tries: steps of 1 %, and never below a tenth."""


def percentile_range(histogram: Histogram, percentile: float, *, one_sided: bool) -> RealRange:
    """The range that holds `percentile` % of all values, zeros included.

    `one_sided` cuts the excess at the top alone (values that are never negative); else half of it at either end.
    """
    total = histogram.counts.sum() + histogram.zeros
    cut = total * (1 - percentile / 100)
    edges = np.linspace(histogram.lo, histogram.hi, len(histogram.counts) + 1)
    at_zero = int(np.clip(np.searchsorted(edges, 0.0, side="right") - 1, 0, len(histogram.counts) - 1))
    counts = histogram.counts.copy()
    counts[at_zero] += histogram.zeros
    tail = cut if one_sided else cut / 2
    above = np.cumsum(counts[::-1])[::-1]  # above[i]: values in bin i and higher
    hi = edges[1:][above > tail][-1]
    lo = histogram.lo if one_sided else edges[:-1][np.cumsum(counts) > tail][0]
    return float(lo), float(hi)


def mse_range(
    histogram: Histogram, *, non_negative: bool, asymmetric: bool, powers_of_two: bool = False, wide: bool = False
) -> RealRange:
    """The range whose grid gives the least mean squared error over the histogram; arguments as of `grid_for`."""

    def error(lo: float, hi: float) -> float:
        kinds = {"non_negative": non_negative, "asymmetric": asymmetric, "powers_of_two": powers_of_two, "wide": wide}
        return squared_error(histogram, grid_for(lo, hi, **kinds))

    lo, hi = min(histogram.lo, 0.0), max(histogram.hi, 0.0)
    if not asymmetric or non_negative or wide:
        reach = max(-lo, hi)
        ranges = [(max(lo, -part * reach), min(hi, part * reach)) for part in _FRACTIONS]
        lo, hi = min(ranges, key=lambda ends: error(*ends))
        return float(lo), float(hi)
    for _ in range(2):  # each end in turn, twice: the ends barely depend on each other
        hi = min(_FRACTIONS * max(histogram.hi, 0.0), key=lambda end: error(lo, float(end)))
        lo = min(_FRACTIONS * min(histogram.lo, 0.0), key=lambda end: error(float(end), hi))
    return float(lo), float(hi)


def squared_error(histogram: Histogram, grid: Grid) -> float:
    """Sum over all values of (value - its stored value) ** 2.

    A step that is finer than a bin errs by a twelfth of its square, of which the centres of bins know nothing.
    """
    centres: npt.NDArray[np.float64] = histogram.centres
    if grid.scale * len(centres) >= histogram.hi - histogram.lo:
        return float(np.dot(histogram.counts, (centres - grid.round_trip(centres)) ** 2))
    return float(np.dot(histogram.counts, (centres - np.clip(centres, *grid.limits)) ** 2 + grid.scale**2 / 12))
