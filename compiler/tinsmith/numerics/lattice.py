"""Weights that lie on a grid already: whole multiples of one step, as quantization-aware training leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

LARGEST = 127
"""Steps that the largest weight of a channel may have."""
_TOLERANCE = 2.0**-10
"""Largest distance from a whole number, in steps; float32 products of a step and a scale are nearer than 2**-15."""
_PROBE = 16
"""Weights of each channel that are looked at before all of them are."""


def lattice_scales(weight: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The largest step of which all weights of a channel are whole multiples, at most 127 of them.

    Args:
        weight: (channels, …).

    Returns:
        (channels,); NaN for a channel that lies on no such grid, and for one of zeros.
    """
    flat = np.abs(weight.reshape(len(weight), -1).astype(np.float64))
    largest = flat.max(axis=1, initial=0.0)
    found = np.full(len(flat), np.nan)
    open_ = np.flatnonzero(largest > np.finfo(np.float32).tiny)
    for steps in range(1, LARGEST + 1):
        step = largest[open_] / steps
        on = _whole(flat[open_, :_PROBE], step)
        on[on] = _whole(flat[open_[on]], step[on])
        found[open_[on]] = step[on]
        open_ = open_[~on]
    return found


def _whole(values: npt.NDArray[np.float64], step: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    counts = values / step[:, None]
    return np.asarray((np.abs(counts - np.rint(counts)) <= _TOLERANCE).all(axis=1))
