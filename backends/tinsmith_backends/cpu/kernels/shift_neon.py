"""Convolution by powers of two on ARM without dot product: sums stay in 16 bits as long as the weights allow.

A product of 2 or 3 bits is at most 128 * 8, so an int16 lane holds the sum of 31 of them (127 of 2 bits), and a turn
of sixteen products is `smlal`, `smlal2` instead of `smull`, `smlal2`, `sadalp`. Weights of 4 bits do not fit bytes:
they are multiplied as int16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.conv_neon import _STEP, ConvNeon, ConvNeon32, tile32
from tinsmith_backends.cpu.kernels.conv_tiled import Operands
from tinsmith_backends.cpu.kernels.conv_tiles import Tile
from tinsmith_backends.cpu.kernels.shift_tiled import ShiftTiled

_LARGEST = 128
"""Of a stored input, in magnitude."""


def _tile(rows: int, columns: int) -> Tile:
    """Per sixteen products `smlal` and `smlal2` an accumulator, and loads two at a time."""
    sixteen = 2.3 * rows * columns + rows + columns / 2 + 2
    return Tile(rows, columns, sixteen / 2, rows * columns // 2)


@dataclass(frozen=True)
class ShiftNeon(ShiftTiled, ConvNeon):
    """The order of the weights is that of the dense kernel."""

    bits: ClassVar[tuple[int, ...]] = (2, 3)
    tiles: ClassVar[tuple[Tile, ...]] = (_tile(4, 4), _tile(3, 4), _tile(2, 4), _tile(1, 8), _tile(1, 4))

    @property
    def chunk(self) -> int:
        """Turns whose sums an int16 lane holds, whatever the weights; each adds two products to a lane."""
        largest = _LARGEST << ((1 << (self.shape.bits - 1)) - 1)
        return int(np.iinfo(np.int16).max) // largest // 2

    def multiply(self, f: Any, operands: Operands) -> list[Any]:
        """Chunks of turns in int16, each widened at its end; bias first."""
        columns, rows = self.tile.columns, len(operands.rows)
        sums = f.registers("int32", 4, rows * columns // 4)
        for i in range(rows * columns // 4):
            sums[i] = operands.bias[i % (columns // 4)]
        whole, rest = divmod(self.padded_depth, _STEP)
        pairs = whole // 2
        # A chunk leaves room for one turn more, in case their number is odd.
        length = -(-pairs // max(1, -(-pairs // ((self.chunk - 1) // 2))))
        if pairs > length:
            with f.loop((pairs - 1) // length, "chunk") as chunk:
                self._chunk(f, operands, sums, chunk * (2 * length), length, odd=False)
        if whole:
            last = (pairs - 1) % length + 1 if pairs else 0
            self._chunk(f, operands, sums, 2 * (pairs - last), last, odd=whole % 2 == 1)
        if rest:
            self._rest(f, operands, sums, whole)
        return [sums[i] for i in range(rows * columns // 4)]

    def _chunk(self, f: Any, operands: Operands, sums: Any, first: Any, pairs: int, *, odd: bool) -> None:
        """`pairs` pairs of turns from turn `first` on, and one more where `odd`. Pairs let loads be joined."""
        from tinsmith_backends.cpu.kernels.vector import const, splat

        count = len(operands.rows) * self.tile.columns
        acc = f.registers("int16", 8, count)
        for i in range(count):
            acc[i] = splat(const(0, "int16"), 8)
        if pairs:
            with f.loop(pairs, "pair") as pair:
                turn = f.let(first + pair * 2, "turn")
                for at in (turn, turn + 1):
                    self._turn(f, operands, acc, at)
        if odd:
            self._turn(f, operands, acc, f.let(first + 2 * pairs, "turn"))
        self._widen(f, sums, [acc[i] for i in range(count)])

    def _turn(self, f: Any, operands: Operands, acc: Any, turn: Any) -> None:
        from tinsmith_backends.cpu.kernels.vector import shuffle

        columns, a, w = self.tile.columns, operands.a, operands.w
        low, high = range(8), range(8, 16)
        inputs = [f.let(a.load(row + turn * _STEP, _STEP), "a") for row in operands.rows]
        for n in range(columns):
            at = operands.w_at + turn * (_STEP * columns) + n * _STEP
            weights = f.let(w.load(at, _STEP), "w")
            for m, value in enumerate(inputs):
                i = m * columns + n
                for half in (low, high):
                    acc[i] = acc[i] + self._product(shuffle(value, half), shuffle(weights, half))

    def _rest(self, f: Any, operands: Operands, sums: Any, whole: int) -> None:
        """The last eight products."""
        columns = self.tile.columns
        w_at = operands.w_at + whole * _STEP * columns
        weights = [f.let(operands.w.load(w_at + n * 8, 8), "w") for n in range(columns)]
        inputs = [f.let(operands.a.load(row + whole * _STEP, 8), "a") for row in operands.rows]
        self._widen(f, sums, [f.let(self._product(value, weight)) for value in inputs for weight in weights])

    def _widen(self, f: Any, sums: Any, products: Sequence[Any]) -> None:
        """Add the sums of each vector's lanes to the int32 sums."""
        from tinsmith_backends.cpu.kernels.neon import long_pairs

        pairs = [f.let(long_pairs(self.isa, v)) for v in products]
        for i in range(len(pairs) // 4):
            sums[i] = sums[i] + self._lane_sums(f, pairs[4 * i : 4 * i + 4])


def _wide_tile(rows: int, vectors: int) -> Tile:
    """Per eight products, eight `smlal` by lane a vector of sums; a load a row, one for two vectors of weights."""
    eight = 8 * rows * vectors + rows + 4 * vectors + 3
    return Tile(rows, 4 * vectors, eight / 8, rows * vectors)


@dataclass(frozen=True)
class ShiftNeonWide(ShiftTiled):
    """Weights: [block][depth][column]; inputs are taken by lane, eight of a row a load."""

    isas: ClassVar[tuple[Isa, ...]] = ("neon",)
    bits: ClassVar[tuple[int, ...]] = (4,)
    depth: ClassVar[int] = 8
    element: ClassVar[str] = "int16"
    tiles: ClassVar[tuple[Tile, ...]] = tuple(
        _wide_tile(rows, vectors) for vectors, most in ((4, 6), (2, 8), (8, 2), (1, 8)) for rows in range(most, 0, -1)
    )

    def pack_blocks(self, blocks: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """See the class."""
        return blocks.transpose(0, 2, 1)

    def multiply(self, f: Any, operands: Operands) -> list[Any]:
        """Eight products a turn."""
        from tinsmith_backends.cpu.kernels.neon import long_product
        from tinsmith_backends.cpu.kernels.vector import shuffle

        vectors, a, w = len(operands.bias), operands.a, operands.w
        acc = f.registers("int32", 4, len(operands.rows) * vectors)
        for m in range(len(operands.rows)):
            for n in range(vectors):
                acc[m * vectors + n] = operands.bias[n]
        with f.loop(self.padded_depth // 8, "k") as k:
            inputs = [f.let(a.load(row + k * 8, 8), "a") for row in operands.rows]
            for d in range(8):
                w_at = operands.w_at + (k * 8 + d) * self.tile.columns
                lanes = [shuffle(value, [d] * 4) for value in inputs]
                for n, weights in enumerate(self._weights(f, w, w_at)):
                    for m, lane in enumerate(lanes):
                        i = m * vectors + n
                        acc[i] = acc[i] + long_product(self.isa, weights, lane, "int32x4")
        return [acc[i] for i in range(len(operands.rows) * vectors)]

    def _weights(self, f: Any, w: Any, at: Any) -> Iterator[Any]:
        """Those of all columns for one input, four at a time."""
        from tinsmith_backends.cpu.kernels.vector import shuffle

        width = min(8, self.tile.columns)
        for start in range(0, self.tile.columns, width):
            loaded = f.let(w.load(at + start, width), "w")
            for half in range(0, width, 4):
                yield loaded if width == 4 else shuffle(loaded, range(half, half + 4))


@dataclass(frozen=True)
class ShiftNeon32(ShiftNeon, ConvNeon32):
    """2 and 3 bits with half the registers."""

    tiles: ClassVar[tuple[Tile, ...]] = (tile32(2, 4, 2), tile32(1, 8, 2), tile32(1, 4, 2))


@dataclass(frozen=True)
class ShiftNeonWide32(ShiftNeonWide):
    """4 bits with half the registers."""

    isas: ClassVar[tuple[Isa, ...]] = ("neon32",)
    tiles: ClassVar[tuple[Tile, ...]] = (_wide_tile(2, 2), _wide_tile(1, 2), _wide_tile(2, 1), _wide_tile(1, 1))
