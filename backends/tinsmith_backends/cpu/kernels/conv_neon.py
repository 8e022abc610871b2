"""Dense convolution on ARM without dot product, of 64 or of 32 bits.

Two 8-bit products are summed in 16 bits before they are widened: weights lie in [-127, 127], so that sum is at most
2 * 128 * 127 = 32512.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.conv_tiled import Operands, TiledConv
from tinsmith_backends.cpu.kernels.conv_tiles import Tile

_STEP = 16


def _tile(rows: int, columns: int) -> Tile:
    """Per sixteen products `smull`, `smlal2`, `sadalp` an accumulator, and loads, weights two at a time."""
    sixteen = 3 * rows * columns + rows + columns / 2 + 3
    # One vector of results is the sum of four accumulators over their lanes, which costs as much again as storing it.
    return Tile(rows, columns, sixteen / 2, rows * columns // 2)


@dataclass(frozen=True)
class ConvNeon(TiledConv):
    """Weights: [block][depth / 16][column][16]. Lanes run along the depth and are summed at the end."""

    isas: ClassVar[tuple[Isa, ...]] = ("neon",)
    depth: ClassVar[int] = 8
    # Four rows by four columns: the products of several accumulators are in flight at once, so larger tiles spill.
    tiles: ClassVar[tuple[Tile, ...]] = (
        _tile(4, 4),
        _tile(3, 4),
        _tile(2, 4),
        _tile(1, 8),
        _tile(1, 4),
    )

    def pack_blocks(self, blocks: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """See the class; where the depth is an odd number of eights, the last step is [column][8]."""
        count, columns, depth = blocks.shape
        whole = depth // _STEP * _STEP
        steps = blocks[:, :, :whole].reshape(count, columns, whole // _STEP, _STEP).transpose(0, 2, 1, 3)
        return np.concatenate([steps.reshape(count, -1), blocks[:, :, whole:].reshape(count, -1)], axis=1)

    def multiply(self, f: Any, operands: Operands) -> list[Any]:
        """Sixteen products a turn, perhaps eight at the end, then the sums over the lanes."""
        from tinsmith_backends.cpu.kernels.vector import splat

        columns, rows = self.tile.columns, operands.rows
        a, w, w_at = operands.a, operands.w, operands.w_at
        acc = f.registers("int32", 4, len(rows) * columns)
        for i in range(len(rows) * columns):
            acc[i] = splat(0, 4)
        whole = self.padded_depth // _STEP
        with f.loop(whole, "k") as k:
            inputs = [f.let(a.load(row + k * _STEP, 16), "a") for row in rows]
            for n in range(columns):
                weights = f.let(w.load(w_at + k * (_STEP * columns) + n * 16, 16), "w")
                for m, value in enumerate(inputs):
                    self._accumulate(acc, m * columns + n, self._long_product(f, value, weights))
        if self.padded_depth % _STEP:
            inputs = [f.let(a.load(row + whole * _STEP, 8), "a") for row in rows]
            for n in range(columns):
                weights = f.let(w.load(w_at + whole * _STEP * columns + n * 8, 8), "w")
                for m, value in enumerate(inputs):
                    self._accumulate(acc, m * columns + n, f.let(self._product(value, weights)))
        return [
            f.let(self._lane_sums(f, [acc[m * columns + n + i] for i in range(4)]) + operands.bias[n // 4])
            for m in range(len(rows))
            for n in range(0, columns, 4)
        ]

    def _accumulate(self, acc: Any, i: int, products: Any) -> None:
        """acc[i] += sums of neighbours (`sadalp`)."""
        from tinsmith_backends.cpu.kernels.neon import add_pairs

        acc[i] = add_pairs(self.isa, acc[i], products)

    def _product(self, a: Any, b: Any) -> Any:
        from tinsmith_backends.cpu.kernels.neon import long_product

        return long_product(self.isa, a, b)

    def _long_product(self, f: Any, a: Any, b: Any) -> Any:
        """int16 sums of the products of lanes i and i + 8 (`smull`, `smlal2`)."""
        from tinsmith_backends.cpu.kernels.vector import shuffle

        low, high = ([shuffle(v, half) for v in (a, b)] for half in (range(8), range(8, 16)))
        return f.let(self._product(*low) + self._product(*high))

    def _lane_sums(self, f: Any, values: Sequence[Any]) -> Any:
        """The sums of the lanes of four vectors, as one vector (`addp` twice)."""
        from tinsmith_backends.cpu.kernels.neon import pairs

        return pairs(f, self.isa, *(pairs(f, self.isa, *values[i : i + 2]) for i in (0, 2)))


def tile32(rows: int, columns: int, product: float = 3) -> Tile:
    """Per sixteen products `product` instructions an accumulator; 32-bit ARM loads one vector at a time."""
    return Tile(rows, columns, (product * rows * columns + rows + columns + 5) / 2, rows * columns)


@dataclass(frozen=True)
class ConvNeon32(ConvNeon):
    """The same with half the registers (`vmull`, `vmlal`, `vpadal`)."""

    isas: ClassVar[tuple[Isa, ...]] = ("neon32",)
    tiles: ClassVar[tuple[Tile, ...]] = (tile32(2, 4), tile32(1, 8), tile32(1, 4))
