"""Convolution and matrix product of packed bits on x86-64: `vpshufb` looks up four products of 32 channels at once.

Population counts are dear in AVX2. But four bits x of an input make a table T_x[w] = count(x ^ w) of 16 bytes, in which
four bits w of the weights are an index:

    for each byte of the window, for each of its halves:
        the halves of the weights of `columns` channels, one a byte, in registers
        for each of `rows` pixels:
            counts[pixel] += T_x[weights]                                 (vpshufb, vpaddb)

All 16 tables stand in front of the weights; a pixel's bits choose one by its address. Counts are bytes, which are added
to 32 bits before they run over. Windows, bands, limits and endings are those of binary_conv.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import BinaryConvShape, Isa, Shape
from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv
from tinsmith_backends.cpu.kernels.bits import pack_rows, words
from tinsmith_backends.cpu.kernels.conv_tiles import Tile, cheapest_tile

VECTOR = 32
"""Channels of a vector: a count is a byte."""
TABLES = 16 * 16
"""Bytes of the tables."""
ROOM = 255 // 8
"""Bytes of a window whose counts fit one byte."""
_GATHERED = 8
"""Windows come in whole vectors of so many words."""


def _tile(rows: int, vectors: int) -> Tile:
    """A step is a byte of the window: halves of weights, addresses of tables, look-ups and sums."""
    return Tile(rows, VECTOR * vectors, 4 * rows * vectors + 4 * rows + 5 * vectors, 4 * rows * vectors)


@dataclass(frozen=True)
class BinaryTable(BinaryConv):
    """Weights: tables, then [block][byte of the window][column], low half first. A block is one or two vectors."""

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Layers whose channels fill three quarters of the vectors that they take; others lose more than they win."""
        if kind != cls.kind or not isinstance(shape, BinaryConvShape):
            return False
        lanes = -(-shape.cout // VECTOR) * VECTOR
        return isa == "avx2" and 4 * shape.cout >= 3 * lanes

    @cached_property
    def tile(self) -> Tile:
        """The register tile with the fewest instructions for this shape (conv_tiles.py)."""
        tiles = [_tile(rows, vectors) for vectors in (2, 1) for rows in (4, 3, 2, 1)]
        return cheapest_tile(tiles, self.shape.ho * self.shape.wo, self.shape.cout, self.window_bytes)

    @property
    def window_bytes(self) -> int:
        """Bytes of a window that have bits of it."""
        return 4 * self.shape.kh * self.shape.kw * words(self.shape.cin)

    @property
    def window_words(self) -> int:
        """Words of a gathered window."""
        return -(-self.window_bytes // (4 * _GATHERED)) * _GATHERED

    @property
    def counts_at(self) -> int:
        """Behind one window, and the places of tables, two bytes a byte, of all windows of a band."""
        return self.window_words * (1 + 2 * self.band * self.tile.rows)

    @property
    def short(self) -> int:
        """Nothing is subtracted."""
        return 0

    def _pack_weights(self, weight: npt.NDArray[np.int8]) -> npt.NDArray[Any]:
        halves = np.arange(16, dtype=np.uint8)
        tables = np.bitwise_count(halves[:, None] ^ halves[None, :])
        columns = self.tile.columns
        flat = np.zeros((self.blocks * columns, self.window_bytes), np.uint8)
        rows = pack_rows(weight).reshape(weight.shape[0], -1)
        flat[: rows.shape[0]] = np.ascontiguousarray(rows, "<u4").view(np.uint8)
        ordered = flat.reshape(self.blocks, columns, self.window_bytes).transpose(0, 2, 1)
        return np.concatenate([tables.reshape(-1), ordered.reshape(-1)])

    def prim_func(self) -> Any:
        """Loops over tiles and blocks."""
        from tinsmith_backends.cpu.kernels.binary_table_emit import BinaryTableEmitter

        return BinaryTableEmitter(self).function()
