"""Codes of shift weights: one sign bit above the bits of the exponent."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinsmith.ir.exact import Int16Array

Codes = npt.NDArray[np.uint8]


def encode(weight: npt.NDArray[Any], bits: int) -> Codes:
    """uint8 codes of weights ±2**S, S in [0, 2**(bits-1)); the same shape.

    Raises:
        ValueError: a weight is none of these.
    """
    magnitude = np.abs(weight.astype(np.int32))
    exponent = np.frexp(magnitude)[1] - 1
    if (magnitude != 1 << np.maximum(exponent, 0)).any() or (exponent >= 1 << (bits - 1)).any():
        raise ValueError(f"a weight is not ±2**S with S in [0, {1 << (bits - 1)})")
    return ((weight < 0).astype(np.uint8) << (bits - 1) | exponent.astype(np.uint8)).astype(np.uint8)


def decode(codes: Codes, bits: int) -> Int16Array:
    """The weights that `codes`, each below 2**bits, stand for: ±2**S as int16; the same shape."""
    sign_bit = 1 << (bits - 1)
    magnitude = np.left_shift(1, (codes % sign_bit).astype(np.int16))
    return np.where(codes < sign_bit, magnitude, -magnitude).astype(np.int16)
