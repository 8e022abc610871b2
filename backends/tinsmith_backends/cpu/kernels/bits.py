"""Packed bits: how ±1 lies in memory. No other file says so.

A row (a pixel's channels) takes whole little-endian words of 32 bits: bit c % 32 of word c / 32 is 1 where channel c is
-1. The bits behind the last channel are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

WORD = 32
"""Bits of a word."""


MOST = 1 << 16
"""Bits of a window, the unused ones of its pixels with them: kernels count them in parts of 16 bits."""


def words(channels: int) -> int:
    """Words of a row of `channels` bits."""
    return -(-channels // WORD)


def sign_bytes(rows: int, channels: int) -> int:
    """Bytes of scratch in which a kernel collects `rows` rows of signs, a byte each, before it packs them."""
    return rows * WORD * words(channels)


def pack_rows(values: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Numbers (..., channels) to words (..., words): a bit is 1 where the number is negative."""
    missing = -values.shape[-1] % WORD
    padded = np.pad(values < 0, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4")


def unpack_rows(packed: npt.NDArray[np.uint32], channels: int) -> npt.NDArray[np.int8]:
    """Words (..., words) to -1 and +1 (..., channels)."""
    bits = np.unpackbits(np.ascontiguousarray(packed, "<u4").view(np.uint8), axis=-1, bitorder="little")
    return np.where(bits[..., :channels] == 1, -1, 1).astype(np.int8)
