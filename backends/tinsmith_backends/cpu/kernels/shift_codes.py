"""Codes of weights that are powers of two: sign << (bits - 1) | S for (-1)**sign * 2**S, and how they are packed.

Codes are packed in runs of 128, which a kernel decodes 16 at a time: code 16 * j + i of a run is found in byte i of its
vectors, so that one shift and one mask bring 16 neighbouring codes to their bytes.

    2 bits: 2 vectors, four codes a byte
    3 bits: the same for the lower two bits, then a vector of the upper bits, eight a byte
    4 bits: 4 vectors, two codes a byte

There is no code of zero. Code 0, weight +1, fills up: it meets inputs of zero, or its product is stored nowhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

LANES = 16
"""Codes that are decoded together."""
RUN = 128
"""Codes of a run."""

Codes = npt.NDArray[np.int8]


def run_bytes(bits: int) -> int:
    """Bytes of a run."""
    return RUN * bits // 8


def runs(weights: int) -> int:
    """Runs that hold this many weights."""
    return -(-weights // RUN)


def encode(weight: npt.NDArray[np.signedinteger[Any]], bits: int) -> Codes:
    """Codes of true weights of any shape. Raises ValueError where one is no ±2**S of `bits` bits."""
    magnitude = np.abs(weight.astype(np.int32))
    exponent = np.log2(np.maximum(magnitude, 1)).astype(np.int32)
    if ((1 << exponent) != magnitude).any() or (exponent >= 1 << (bits - 1)).any():
        raise ValueError(f"a weight is no power of two of {bits} bits")
    return ((weight < 0).astype(np.int32) << (bits - 1) | exponent).astype(np.int8)


def value(code: int, bits: int) -> int:
    """The weight that a code stands for."""
    magnitude = 1 << (code & ((1 << (bits - 1)) - 1))
    return -magnitude if code >> (bits - 1) else magnitude


def pack_runs(codes: Codes, bits: int) -> bytes:
    """Codes (rows, n), each row filled up to whole runs."""
    padded = np.pad(codes.astype(np.uint8), [(0, 0), (0, -codes.shape[1] % RUN)]).reshape(-1, RUN // LANES, LANES)
    width = 4 if bits == 4 else 2
    vectors = [_interleaved(padded & np.uint8((1 << width) - 1), width)]
    if bits == 3:
        vectors.append(_interleaved(padded >> np.uint8(2), 1))
    return np.concatenate(vectors, axis=1).tobytes()


def _interleaved(parts: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.uint8]:
    """Numbers of `width` bits (runs, 8, LANES) to vectors (runs, width, LANES), the first numbers lowest."""
    shifts = np.arange(8 // width, dtype=np.uint8)[:, None] * np.uint8(width)
    shifted = parts.reshape(len(parts), width, 8 // width, LANES) << shifts
    joined: npt.NDArray[np.uint8] = np.bitwise_or.reduce(shifted, axis=2)
    return joined
