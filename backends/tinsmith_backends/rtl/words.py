"""Contents of ROMs as $readmemh reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def memory(values: npt.NDArray[Any], width: int) -> str:
    """A line of hexadecimal digits for each row of `values` (lines, lanes): lane 0 low, two's complement."""
    mask = (1 << width) - 1
    digits = (values.shape[1] * width + 3) // 4
    lines = []
    for row in values.tolist():
        word = 0
        for lane, value in enumerate(row):
            word |= (int(value) & mask) << (lane * width)
        lines.append(f"{word:0{digits}x}")
    return "\n".join(lines) + "\n"


def signed_width(lo: int, hi: int) -> int:
    """Bits of the least signed number that holds [lo, hi]."""
    return max(int(hi).bit_length(), (-int(lo) - 1).bit_length() if lo < 0 else 0) + 1


def folded(matrix: npt.NDArray[Any], pe: int, simd: int) -> npt.NDArray[np.int64]:
    """Weights (outputs, inputs) as tsm_mvu reads them: a line for each fold of outputs and of inputs."""
    outputs, inputs = matrix.shape
    blocks = matrix.astype(np.int64).reshape(outputs // pe, pe, inputs // simd, simd)
    return blocks.transpose(0, 2, 1, 3).reshape(-1, pe * simd)
