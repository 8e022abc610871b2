"""Dense convolution with a product of int16 pairs: `vpmaddwd` on AVX2, `i32x4.dot_i16x8_s` on WebAssembly.

Inputs are widened to int16 when they are gathered, so a pair of them is one 32-bit load into every lane; weights stay
bytes and are widened by the load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.conv_tiled import Operands, TiledConv
from tinsmith_backends.cpu.kernels.conv_tiles import Tile


def _tile(rows: int, vectors: int, lanes: int) -> Tile:
    """Per pair: multiply and add an accumulator, one load a row, one a vector of weights; the loop."""
    return Tile(rows, lanes * vectors, 2 * rows * vectors + rows + vectors + 3, rows * vectors)


@dataclass(frozen=True)
class ConvPairs(TiledConv):
    """Weights: [block][depth / 2][column][2]."""

    depth: ClassVar[int] = 2
    element: ClassVar[str] = "int16"
    lanes: ClassVar[int]
    intrinsic: ClassVar[str]

    def pack_blocks(self, blocks: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """See the class."""
        count, columns, depth = blocks.shape
        return blocks.reshape(count, columns, depth // 2, 2).transpose(0, 2, 1, 3)

    def multiply(self, f: Any, operands: Operands) -> list[Any]:
        """Bias first, then pair by pair."""
        vectors = len(operands.bias)
        acc = f.registers("int32", self.lanes, len(operands.rows) * vectors)
        for m in range(len(operands.rows)):
            for n in range(vectors):
                acc[m * vectors + n] = operands.bias[n]
        # One pair a turn: WebAssembly engines schedule loads first, so more of them would spill accumulators.
        # From an opaque zero on, so that the rest of each address is a constant offset.
        with f.loop(self.padded_depth, "k", start=operands.zero, step=2) as k:
            self._pair(f, acc, operands, k, operands.w_at + k * self.tile.columns)
        return [acc[i] for i in range(len(operands.rows) * vectors)]

    def _pair(self, f: Any, acc: Any, operands: Operands, at: Any, w_at: Any) -> None:
        """The pair at element `at` of each window, times the weights at `w_at`."""
        from tinsmith_backends.cpu.kernels.vector import bits_as, cast, llvm, splat

        vectors, wide = self.tile.columns // self.lanes, 2 * self.lanes
        weights = [f.let(cast(f"int16x{wide}", operands.w.load(w_at + n * wide, wide)), "w") for n in range(vectors)]
        for m, row in enumerate(operands.rows):
            both = operands.a.load_bits(at + row, "int32", 2)
            value = f.let(bits_as(f"int16x{wide}", splat(both, self.lanes)), "a")
            for n in range(vectors):
                i = m * vectors + n
                acc[i] = acc[i] + llvm(f"int32x{self.lanes}", self.intrinsic, value, weights[n])


@dataclass(frozen=True)
class ConvAvx2(ConvPairs):
    """Eight channels a register; sixteen registers hold accumulators, weights, one input and one product."""

    isas: ClassVar[tuple[Isa, ...]] = ("avx2",)
    lanes: ClassVar[int] = 8
    intrinsic: ClassVar[str] = "llvm.x86.avx2.pmadd.wd"
    tiles: ClassVar[tuple[Tile, ...]] = tuple(
        _tile(rows, vectors, 8)
        for rows, vectors in ((6, 2), (5, 2), (4, 2), (3, 2), (2, 4), (2, 2), (1, 4), (1, 2), (6, 1), (1, 1))
    )


@dataclass(frozen=True)
class ConvSimd128(ConvPairs):
    """Four channels a register; an engine on x86-64 has sixteen, and keeps some of them."""

    isas: ClassVar[tuple[Isa, ...]] = ("simd128",)
    lanes: ClassVar[int] = 4
    intrinsic: ClassVar[str] = "llvm.wasm.dot"
    tiles: ClassVar[tuple[Tile, ...]] = tuple(
        _tile(rows, vectors, 4)
        for rows, vectors in ((4, 2), (3, 2), (2, 4), (2, 2), (1, 8), (1, 4), (1, 2), (4, 1), (1, 1))
    )
