"""Dense convolution and matrix product in register tiles: what the SIMD instruction sets share.

    for each group, for each tile of `rows` output pixels:
        gather the windows of its pixels into scratch, or point at the input where they lie there as they are
        for each block of `columns` output channels:
            multiply, in registers, over the whole window; add the bias; requantize; store

Where the output is bits, bytes of the tile's pixels are stored in scratch behind the windows, and packed tile by tile.
The last tile starts earlier instead of being smaller, so it computes some pixels twice. Channels are padded to whole
blocks in the packed constants, and only stores look at the true number.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Packed, Shape, WeightedKernel
from tinsmith_backends.cpu.kernels.bits import sign_bytes
from tinsmith_backends.cpu.kernels.conv_tiles import Tile, cheapest_tile
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class Operands:
    """What one register tile multiplies.

    Attributes:
        a: pointer to the windows, of type `TiledConv.element`.
        rows: index of the first element of each window.
        w: pointer to the packed weights.
        w_at: index of the block's first weight.
        bias: int32 vectors that cover the block's columns.
        zero: an opaque zero (vector.py).
    """

    a: Any
    rows: Sequence[Any]
    w: Any
    w_at: Any
    bias: Sequence[Any]
    zero: Any


@dataclass(frozen=True)
class TiledConv(WeightedKernel):
    """The template; a subclass is one instruction set's register tile."""

    kind: ClassVar[str] = "conv"
    isas: ClassVar[tuple[Isa, ...]]
    tiles: ClassVar[tuple[Tile, ...]]
    """Register tiles that the instruction set has room for."""
    depth: ClassVar[int]
    """The window is padded to a multiple of this many products."""
    element: ClassVar[str] = "int8"
    """Type of a gathered input: int8, or int16 where the multiplication takes that."""
    shape: ConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every convolution and matrix product on its instruction sets."""
        return isa in cls.isas and kind in ("conv", "matmul", "depthwise") and isinstance(shape, ConvShape)

    @cached_property
    def tile(self) -> Tile:
        """The register tile with the fewest instructions for this shape (conv_tiles.py)."""
        s = self.shape
        return cheapest_tile(self.tiles, s.ho * s.wo, self.outputs, self.padded_depth // self.depth)

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        types = "s8_b1" if self.shape.packed else "s8"
        return f"{types}_conv_{self.tile.rows}x{self.tile.columns}_{self.isa}"

    @property
    def inputs(self) -> int:
        """Input channels of one group."""
        return self.shape.cin // self.shape.group

    @property
    def outputs(self) -> int:
        """Output channels of one group."""
        return self.shape.cout // self.shape.group

    @property
    def window(self) -> int:
        """Products of one output element."""
        return self.shape.kh * self.shape.kw * self.inputs

    @property
    def padded_depth(self) -> int:
        """`window`, rounded up to whole steps of the multiplication."""
        return -(-self.window // self.depth) * self.depth

    @property
    def blocks(self) -> int:
        """Blocks of output channels in one group."""
        return -(-self.outputs // self.tile.columns)

    @property
    def direct(self) -> bool:
        """Whether a window lies in the input as the multiplication reads it, so that nothing is gathered."""
        s = self.shape
        inside = s.top == s.left == 0 and (s.ho - 1) * s.stride_h < s.h and (s.wo - 1) * s.stride_w < s.w
        return self.element == "int8" and s.kh == s.kw == 1 and inside and self.inputs == self.padded_depth

    @property
    def window_bytes(self) -> int:
        """The gathered windows of one tile."""
        return 0 if self.direct else self.tile.rows * self.padded_depth * np.dtype(self.element).itemsize

    @property
    def scratch_bytes(self) -> int:
        """The gathered windows of one tile, and its signs where the output is bits."""
        return self.window_bytes + (sign_bytes(self.tile.rows, self.shape.cout) if self.shape.packed else 0)

    def pack(
        self,
        weight: npt.NDArray[np.int8],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Constants of each group in whole blocks of channels; the bias takes up -x_zero_point * sum(weight)."""
        groups, columns = self.shape.group, self.blocks * self.tile.columns
        flat = np.zeros((groups, columns, self.padded_depth), np.int8)
        flat[:, : self.outputs, : self.window] = weight.reshape(groups, self.outputs, self.window)
        sums = weight.reshape(weight.shape[0], -1).sum(axis=1, dtype=np.int64)
        # Sums wrap at 32 bits as the registers do; the whole accumulator is proved to fit.
        folded = (bias.astype(np.int64) - x_zero_point * sums) & 0xFFFFFFFF

        def channels(values: npt.NDArray[Any], dtype: str) -> bytes:
            padded = np.zeros((groups, columns), dtype)
            padded[:, : self.outputs] = values.reshape(groups, self.outputs)
            return padded.tobytes()

        blocks = flat.reshape(groups * self.blocks, self.tile.columns, self.padded_depth)
        return Packed(self.pack_blocks(blocks).tobytes(), channels(folded, "<u4"), channels(multiplier, "<i4"))

    @abstractmethod
    def pack_blocks(self, blocks: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Reorder weights (blocks, columns, padded depth) as `multiply` reads them; blocks stay in front."""

    def weights(self, f: Any, k: Any, position: Any) -> tuple[Any, Any]:
        """Pointer to what `multiply` reads as weights, and the index of the first one of a block."""
        return k.w, f.let(position * (self.tile.columns * self.padded_depth), "w_at")

    @abstractmethod
    def multiply(self, f: Any, operands: Operands) -> list[Any]:
        """Emit one register tile: int32 vectors of accumulators, row by row, columns in order."""

    def prim_func(self) -> Any:
        """Loops over groups, tiles and blocks around `multiply`."""
        from tinsmith_backends.cpu.kernels.conv_gather import Gather
        from tinsmith_backends.cpu.kernels.emit import signature
        from tinsmith_backends.cpu.kernels.pack_bits import SignRows
        from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
        from tinsmith_backends.cpu.kernels.vector import const, minimum

        s, tile = self.shape, self.tile
        f, k = signature(self, {"scratch": self.element})
        requantize = Requantizer(f, self.isa, k, wide=s.wide)
        signs = SignRows(f, self.isa, k.scratch, self.window_bytes, tile.rows, s.cout) if s.packed else None
        gather, zero = Gather(f, k, self), f.opaque_zero(k.shift)
        pixels = s.ho * s.wo
        if not self.direct:
            gather.clear_padding(tile.rows)
        with f.loop(-(-pixels // tile.rows), "tile") as number:
            first = number * tile.rows
            if pixels % tile.rows:
                first = minimum(first, const(pixels - tile.rows))
            first = f.let(first, "pixel")
            with f.loop(s.group, "group") as group:
                if self.direct:
                    a, rows = k.x, [gather.address(first + m, group) for m in range(tile.rows)]
                else:
                    a, rows = k.scratch, [m * self.padded_depth for m in range(tile.rows)]
                    gather.windows(first, group, tile.rows)
                with f.loop(self.blocks, "block") as block:
                    self._block(f, k, (a, rows, zero), (group, first, block), requantize, signs)
            if signs:
                signs.pack(k.y, first)
        return f.finish()

    def _block(
        self,
        f: Any,
        k: Any,
        windows: tuple[Any, Any, Any],
        place: tuple[Any, Any, Any],
        requantize: Any,
        signs: Any,
        sign_row: Any = 0,
    ) -> None:
        """One tile of pixels times one block of channels; `sign_row` is the row of `signs` of its first pixel."""
        (a, rows, zero), (group, first, block) = windows, place
        columns, lanes = self.tile.columns, ISAS[self.isa].vector_bytes // 4
        position = f.let(group * self.blocks + block, "position")
        starts = range(0, columns, lanes)
        bias = [f.let(k.bias.load(position * columns + c, lanes), "bias") for c in starts]
        w, w_at = self.weights(f, k, position)
        acc = self.multiply(f, Operands(a, rows, w, w_at, bias, zero))
        # Four vectors make one vector of bytes; the last ones are repeated where the tile has fewer.
        sources = [min(i, len(acc) - 1) for i in range(-(-len(acc) // 4) * 4)]
        fours = [sources[i : i + 4] for i in range(0, len(sources), 4)]
        channel = group * self.outputs + block * columns
        if signs:
            values = [requantize.signs([acc[j] for j in four]) for four in fours]
            self._store(f, signs.bytes, values, f.let(signs.place(sign_row, channel), "at"), signs.pitch, block)
            return
        multiplier = [f.let(k.multiplier.load(position * columns + c, lanes), "multiplier") for c in starts]
        values = [requantize([acc[j] for j in four], [multiplier[j % len(starts)] for j in four]) for four in fours]
        self._store(f, k.y, values, f.let(first * self.shape.cout + channel, "y_at"), self.shape.cout, block)

    def _store(self, f: Any, y: Any, values: list[Any], at: Any, pitch: int, block: Any) -> None:
        """Store each row's bytes; in the last block only those of channels that exist."""
        tail = self.outputs % self.tile.columns
        if not tail:
            self._store_rows(y, values, at, pitch, self.tile.columns)
        elif self.blocks == 1:
            self._store_rows(y, values, at, pitch, tail)
        else:
            with f.when(block < self.blocks - 1):
                self._store_rows(y, values, at, pitch, self.tile.columns)
            with f.otherwise():
                self._store_rows(y, values, at, pitch, tail)

    def _store_rows(self, y: Any, values: list[Any], y_at: Any, pitch: int, count: int) -> None:
        from tinsmith_backends.cpu.kernels.vector import shuffle

        width = ISAS[self.isa].vector_bytes
        for row in range(self.tile.rows):
            done = 0
            while done < count:
                at = row * self.tile.columns + done
                whole = min(count - done, width - at % width)
                piece = 1 << (whole.bit_length() - 1)
                start = at % width
                part = values[at // width]
                part = part if piece == width else shuffle(part, range(start, start + piece))
                y.store(y_at + row * pitch + done, part, piece)
                done += piece
