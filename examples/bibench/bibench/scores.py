"""The overall metrics, as we read the BiBench paper: a quadratic mean of numbers relative to the real-valued twin."""

from __future__ import annotations

import math
from collections.abc import Iterable

GAP_FLOOR = 0.005
"""Losses and deviations of accuracy below half a point are noise: they count as half a point, on both sides."""


def quadratic_mean(values: Iterable[float]) -> float:
    """√(mean of squares); 0 for values that are not there, as the mean of none is nothing."""
    squares = [value * value for value in values]
    return math.sqrt(sum(squares) / len(squares)) if squares else 0.0


def gap_ratio(real: float, binary: float) -> float:
    """real / binary of two losses or deviations of accuracy, each at least `GAP_FLOOR`."""
    return max(real, GAP_FLOOR) / max(binary, GAP_FLOOR)


def speed_ratio(flops_real: float, ops_binary: float, flops_rest: float) -> float:
    """r_c: 64 binary operations count as one of floating point."""
    return flops_real / (ops_binary / 64 + flops_rest)


def size_ratio(params_real: float, params_binary: float, params_rest: float) -> float:
    """r_s: 32 binary parameters count as one of floating point."""
    return params_real / (params_binary / 32 + params_rest)
