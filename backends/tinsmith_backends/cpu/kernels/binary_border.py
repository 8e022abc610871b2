"""Padding that counts as 0 in a binary convolution: the places of the image whose windows miss different taps.

There is no zero in one bit. Padding is gathered as +1, and the sum of the weights that it meets is taken from the
bias. It depends on the taps that lie outside alone, so rows of the output fall into few classes, columns too, and each
pair of classes has its own biases. Where no tap is missing, or padding counts as -1 or +1, there is one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import BinaryConvShape

Taps = tuple[bool, ...]


@dataclass(frozen=True)
class Border:
    """Which taps lie outside of the image, for each row and column of the output."""

    rows: tuple[Taps, ...]
    columns: tuple[Taps, ...]

    @classmethod
    def of(cls, s: BinaryConvShape) -> Border:
        """The border of a shape."""
        if s.pad_value != 0:
            return cls(((False,) * s.kh,) * s.ho, ((False,) * s.kw,) * s.wo)
        rows = _outside(s.ho, s.stride_h, s.top, s.kh, s.dilation_h, s.h)
        return cls(rows, _outside(s.wo, s.stride_w, s.left, s.kw, s.dilation_w, s.w))

    @property
    def row_bounds(self) -> tuple[int, ...]:
        """The rows of the output at which another class begins."""
        return _bounds(self.rows)

    @property
    def column_bounds(self) -> tuple[int, ...]:
        """The columns of the output at which another class begins."""
        return _bounds(self.columns)

    def padded_sums(self, weight: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
        """(places, Cout): the sum of the weights (Cout, kh, kw, Cin) on padding, by class of row, then of column."""
        taps = weight.sum(axis=3, dtype=np.int64)
        sums = []
        for row in _classes(self.rows):
            for column in _classes(self.columns):
                outside = np.array(row)[:, None] | np.array(column)[None, :]
                sums.append(taps[:, outside].sum(axis=1))
        return np.stack(sums)


def _outside(outputs: int, stride: int, pad: int, taps: int, dilation: int, size: int) -> tuple[Taps, ...]:
    return tuple(
        tuple(not 0 <= at * stride - pad + tap * dilation < size for tap in range(taps)) for at in range(outputs)
    )


def _bounds(lines: Sequence[Taps]) -> tuple[int, ...]:
    return tuple(at for at in range(1, len(lines)) if lines[at] != lines[at - 1])


def _classes(lines: Sequence[Taps]) -> list[Taps]:
    """The different ones. Taps enter the image from one side and leave it at the other, so none comes back."""
    return [lines[at] for at in (0, *_bounds(lines))]
