"""Convolution and matrix product of packed bits: XOR and population count, for every instruction set.

    for each band of some tiles of `rows` output pixels:
        gather the windows of its pixels into scratch as prefix XORs (binary_gather.py)
        for each block of `columns` output channels, for each tile:
            count the -1 among the products, in registers, over the whole window (binary_chain.py, binary_emit.py)
        make the counts of all channels bits or bytes (binary_ending.py)

With n products, acc = n - 2 * count. The counts of a band lie in scratch behind the windows, as 32-bit words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import BinaryConvShape, Isa, Packed, Shape, WeightedKernel
from tinsmith_backends.cpu.kernels.binary_border import Border
from tinsmith_backends.cpu.kernels.binary_chain import Chain
from tinsmith_backends.cpu.kernels.binary_lanes import LANES, Lanes
from tinsmith_backends.cpu.kernels.bits import WORD, pack_rows, words
from tinsmith_backends.cpu.kernels.conv_tiles import Tile, cheapest_tile

_BAND = 12
"""Pixels of a band: the weights of a block are read once for all of them."""


@dataclass(frozen=True)
class BinaryConv(WeightedKernel):
    """Weights: [block][first vector of each column, then both vectors of each step of each column, then the extra]."""

    kind: ClassVar[str] = "binaryconv"
    shape: BinaryConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every dense convolution and matrix product of bits."""
        return kind == cls.kind and isinstance(shape, BinaryConvShape) and isa in LANES

    @property
    def lanes(self) -> Lanes:
        """How the instruction set counts."""
        return LANES[self.isa]

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        ending = "b1" if self.shape.packed else "s8"
        return f"b1_{ending}_binaryconv_{self.tile.rows}x{self.tile.columns}_{self.isa}"

    @cached_property
    def tile(self) -> Tile:
        """The register tile with the fewest instructions for this shape (conv_tiles.py)."""
        s = self.shape
        return cheapest_tile(self.lanes.tiles, s.ho * s.wo, s.cout, self.chain.steps + 1)

    @property
    def chain(self) -> Chain:
        """The adders of one output."""
        window = self.shape.kh * self.shape.kw * words(self.shape.cin)
        return Chain(-(-window // self.lanes.words), self.lanes.levels)

    @property
    def short(self) -> int:
        """By how much counts come too small."""
        return self.chain.short(WORD * self.lanes.words)

    @property
    def window_words(self) -> int:
        """Words of a gathered window, whole vectors."""
        return self.chain.vectors * self.lanes.words

    @property
    def band(self) -> int:
        """Tiles of a band."""
        tiles = -(-self.shape.ho * self.shape.wo // self.tile.rows)
        return min(tiles, _BAND // self.tile.rows)

    @property
    def blocks(self) -> int:
        """Blocks of output channels."""
        return -(-self.shape.cout // self.tile.columns)

    @property
    def pitch(self) -> int:
        """Counts of a pixel in scratch, in int32: all blocks, and whole words of bits."""
        return max(self.blocks * self.tile.columns, words(self.shape.cout) * WORD)

    @property
    def counts_at(self) -> int:
        """Where the counts begin in scratch, in words: behind the windows of a band."""
        return self.band * self.tile.rows * self.window_words

    @property
    def scratch_bytes(self) -> int:
        """The windows and the counts of a band."""
        return 4 * (self.counts_at + self.band * self.tile.rows * self.pitch)

    @property
    def border(self) -> Border:
        """The places of the image that have biases of their own."""
        return Border.of(self.shape)

    def pack(
        self,
        weight: npt.NDArray[np.int8],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Prefix XORs of the weights; what acc + bias is without the count; multipliers up to whole words."""
        del x_zero_point
        scale = np.zeros(self.pitch, "<i4")
        scale[: self.shape.cout] = multiplier
        return Packed(
            self._pack_weights(weight).tobytes(),
            self._pack_bias(weight, bias).tobytes(),
            b"" if self.shape.packed else scale.tobytes(),
        )

    def _pack_weights(self, weight: npt.NDArray[np.int8]) -> npt.NDArray[np.uint32]:
        chain, width, columns = self.chain, self.lanes.words, self.tile.columns
        flat = np.zeros((self.blocks * columns, self.window_words), np.uint32)
        rows = pack_rows(weight).reshape(weight.shape[0], -1)
        flat[: rows.shape[0], : rows.shape[1]] = rows
        vectors = chain.weights(flat.reshape(self.blocks, columns, chain.vectors, width))
        first, pairs = vectors[:, :, :1], vectors[:, :, 1 : 1 + 2 * chain.steps]
        steps = pairs.reshape(self.blocks, columns, chain.steps, 2, width).transpose(0, 2, 1, 3, 4)
        extra = vectors[:, :, 1 + 2 * chain.steps :]
        parts = [part.reshape(self.blocks, -1) for part in (first, steps, extra)]
        return np.ascontiguousarray(np.concatenate(parts, axis=1), "<u4")

    def _pack_bias(self, weight: npt.NDArray[np.int8], bias: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """For each place bias + n, less what padding of 0 adds as +1; or half of that, the limit of counts.

        A bit is acc + bias < 0, so count > limit = (bias + n) >> 1; no count passes that of a channel that is none.
        Counts come too small by `short`, and so does what they are compared with or taken from.
        """
        packed = self.shape.packed
        total = bias.astype(np.int64) + weight[0].size - self.border.padded_sums(weight) - 2 * self.short
        values = np.full((total.shape[0], self.pitch), 2**31 - 1 if packed else 0, np.int64)
        values[:, : self.shape.cout] = np.clip(total >> 1, -1 - self.short, 2**31 - 1) if packed else total
        return values.astype("<i4")

    def prim_func(self) -> Any:
        """Loops over tiles and blocks."""
        from tinsmith_backends.cpu.kernels.binary_emit import BinaryConvEmitter

        return BinaryConvEmitter(self).function()
