"""Dense convolution on ARM with the dot product instruction: four products a lane, inputs taken by lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.conv_tiled import Operands, TiledConv
from tinsmith_backends.cpu.kernels.conv_tiles import Tile

_GROUP = 4
"""Products of one lane of `sdot`."""


def _tile(rows: int, vectors: int) -> Tile:
    """Per sixteen products: four `sdot` a vector, one load a row, half a load (pairs) a vector of weights."""
    sixteen = 4 * rows * vectors + rows + 2 * vectors + 3
    return Tile(rows, 4 * vectors, sixteen / 4, rows * vectors)


@dataclass(frozen=True)
class ConvNeonDot(TiledConv):
    """Weights: [block][depth / 4][column][4]. One load brings 16 inputs of a row, four lanes of which each serve."""

    isas: ClassVar[tuple[Isa, ...]] = ("neondot",)
    depth: ClassVar[int] = _GROUP
    # Accumulators, one register a row, two for weights: 32 in all.
    tiles: ClassVar[tuple[Tile, ...]] = tuple(
        _tile(rows, vectors) for vectors, most in ((4, 6), (2, 8), (8, 2), (1, 8)) for rows in range(most, 0, -1)
    )

    def pack_blocks(self, blocks: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """See the class."""
        count, columns, depth = blocks.shape
        return blocks.reshape(count, columns, depth // _GROUP, _GROUP).transpose(0, 2, 1, 3)

    def multiply(self, f: Any, operands: Operands) -> list[Any]:
        """Sixteen products a turn; what is left in steps of four."""
        from tinsmith_backends.cpu.kernels.vector import bits_as, shuffle, splat

        columns, vectors, rows = self.tile.columns, len(operands.bias), operands.rows
        a, w, w_at = operands.a, operands.w, operands.w_at
        acc = f.registers("int32", 4, len(rows) * vectors)
        for m in range(len(rows)):
            for n in range(vectors):
                acc[m * vectors + n] = operands.bias[n]
        with f.loop(self.padded_depth // 16, "k") as k:
            inputs = [f.let(bits_as("int32x4", a.load(row + k * 16, 16)), "a") for row in rows]
            for group in range(4):
                lane = [bits_as("int8x16", shuffle(v, [group] * 4)) for v in inputs]
                self._step(f, acc, lane, w, w_at + k * (16 * columns) + group * _GROUP * columns, vectors)
        for at in range(self.padded_depth // 16 * 16, self.padded_depth, _GROUP):
            lane = [bits_as("int8x16", splat(a.load_bits(row + at, "int32", 4), 4)) for row in rows]
            self._step(f, acc, [f.let(v, "a") for v in lane], w, w_at + at * columns, vectors)
        return [acc[i] for i in range(len(rows) * vectors)]

    def _step(self, f: Any, acc: Any, lane: Sequence[Any], w: Any, w_at: Any, vectors: int) -> None:
        from tinsmith_backends.cpu.kernels.vector import llvm

        for n in range(vectors):
            weights = f.let(w.load(w_at + n * 16, 16), "w")
            for m, value in enumerate(lane):
                i = m * vectors + n
                acc[i] = llvm("int32x4", "llvm.aarch64.neon.sdot.v4i32.v16i8", acc[i], weights, value)
