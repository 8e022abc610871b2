"""What is kept of an activation while samples stream by: its range, then a histogram within it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 4096
"""Sixteen bins or more a step of the 8-bit grid: the error of a bin's centre is then a sixteenth of a step's."""


@dataclass
class Range:
    """The smallest and largest value seen, and the sum of squares; `finite` says that no NaN or infinity was seen."""

    lo: float = np.inf
    hi: float = -np.inf
    finite: bool = True
    count: int = 0
    square_sum: float = 0.0

    def update(self, values: npt.NDArray[Any]) -> None:
        """Take in one more array of any shape."""
        lo, hi = float(values.min()), float(values.max())
        self.finite &= bool(np.isfinite(lo) and np.isfinite(hi))
        self.lo, self.hi = min(self.lo, lo), max(self.hi, hi)
        if self.finite:
            self.count += values.size
            self.square_sum += float(np.square(values, dtype=np.float64).sum())

    @property
    def rms(self) -> float:
        """Root mean square of the values seen; 0 before the first."""
        return float(np.sqrt(self.square_sum / self.count)) if self.count else 0.0


@dataclass
class Histogram:
    """Counts of the values in `BINS` equal bins over [lo, hi]; exact zeros apart, since every grid holds zero."""

    lo: float
    hi: float
    zeros: int = 0
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def update(self, values: npt.NDArray[Any]) -> None:
        """Take in one more array of any shape; values outside [lo, hi] count in the outermost bins."""
        flat = values.reshape(-1)
        flat = flat[flat != 0]
        self.zeros += values.size - flat.size
        if flat.size and self.hi > self.lo:
            index = ((flat.astype(np.float64) - self.lo) * (BINS / (self.hi - self.lo))).astype(np.int64)
            self.counts += np.bincount(np.clip(index, 0, BINS - 1), minlength=BINS)
        elif flat.size:
            self.counts[0] += flat.size

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """The real value that stands for each bin."""
        edges: npt.NDArray[np.float64] = np.linspace(self.lo, self.hi, BINS + 1)
        return (edges[1:] + edges[:-1]) / 2
