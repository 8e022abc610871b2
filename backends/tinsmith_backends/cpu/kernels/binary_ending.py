"""Turns the counts of a pixel into bits or bytes.

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tvm import tirx

from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.kernels.emit import blocks, requantized
from tinsmith_backends.cpu.kernels.isa import ISAS
from tinsmith_backends.cpu.kernels.pack_bits import signs_of
from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
from tinsmith_backends.cpu.kernels.vector import (
    Expr,
    Function,
    bits_as,
    cast,
    concat,
    const,
    llvm,
    select,
    shuffle,
    splat,
)

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv


def ending(f: Function, arguments: Any, scratch: Any, kernel: BinaryConv) -> Ending:
    """The ending of one kernel; construct it in front of the loops."""
    return (Ending if kernel.lanes.words == 1 else VectorEnding)(f, arguments, scratch, kernel)


class Ending:
    """An ending channel by channel."""

    def __init__(self, f: Function, arguments: Any, scratch: Any, kernel: BinaryConv) -> None:
        self._f, self._k, self._scratch, self._kernel = f, arguments, scratch, kernel
        self._shape = kernel.shape
        self._counts_at = kernel.counts_at
        self._border = kernel.border

    def finish(self, pixel: Expr, place: Expr) -> None:
        """Write an output pixel whose counts are number `place` in scratch."""
        f = self._f
        counts = f.let(self._counts_at + place * self._kernel.pitch, "counts")
        bias = self._bias_at(pixel)
        (self._bits if self._shape.packed else self._bytes)(pixel, counts, bias)

    def _bias_at(self, pixel: Expr) -> Expr:
        """Where the biases of a pixel's place begin."""
        f, s = self._f, self._shape
        rows, columns = self._border.row_bounds, self._border.column_bounds
        if not rows and not columns:
            return const(0)
        oh = f.let(tirx.truncdiv(pixel, const(s.wo)), "oh")
        row, column = self._class(oh, rows), self._class(f.let(pixel - oh * s.wo, "ow"), columns)
        return f.let((row * (len(columns) + 1) + column) * self._kernel.pitch, "bias_at")

    @staticmethod
    def _class(line: Expr, bounds: tuple[int, ...]) -> Expr:
        """How many of the bounds a row or column has reached."""
        total: Expr = const(0)
        for bound in bounds:
            total = total + cast("int32", line >= bound)
        return total

    def _bits(self, pixel: Expr, counts: Expr, bias: Expr) -> None:
        f, total = self._f, words(self._shape.cout)
        with f.loop(total, "word") as word:
            bits = f.registers("uint32", 1, 1)
            bits[0] = const(0, "uint32")
            with f.loop(WORD, "bit") as bit:
                channel = f.let(word * WORD + bit, "channel")
                count = cast("int32", self._scratch.load(counts + channel))
                one = cast("uint32", count > self._k.bias.load(bias + channel))
                bits[0] = bits[0] | (one << cast("uint32", bit))
            self._k.y.store(pixel * total + word, bits[0])

    def _bytes(self, pixel: Expr, counts: Expr, bias: Expr) -> None:
        f, s = self._f, self._shape
        with f.loop(s.cout, "channel") as channel:
            count = cast("int32", self._scratch.load(counts + channel))
            acc = f.let(self._k.bias.load(bias + channel) - count * 2, "acc")
            y = requantized(f, acc, self._k.multiplier.load(channel), self._k, wide=s.wide)
            self._k.y.store(pixel * s.cout + channel, y)


class VectorEnding(Ending):
    """An ending of 32 channels at a time, as far as bits go, or of one vector of bytes."""

    def __init__(self, f: Function, arguments: Any, scratch: Any, kernel: BinaryConv) -> None:
        super().__init__(f, arguments, scratch, kernel)
        self._lanes = ISAS[kernel.isa].vector_bytes // 4
        if not kernel.shape.packed:
            self._requantize = Requantizer(f, kernel.isa, arguments, wide=kernel.shape.wide)

    def _loads(self, pointer: Any, at: Expr, channels: int) -> list[Expr]:
        """`channels` numbers from `at` on, as int32 vectors."""
        lanes = self._lanes
        vectors = [pointer.load(at + i, lanes) for i in range(0, channels, lanes)]
        return [self._f.let(bits_as(f"int32x{lanes}", vector), "numbers") for vector in vectors]

    def _bits(self, pixel: Expr, counts: Expr, bias: Expr) -> None:
        f, total = self._f, words(self._shape.cout)
        with f.loop(total, "word") as word:
            channel = f.let(word * WORD, "channel")
            pairs = zip(
                self._loads(self._scratch, counts + channel, WORD),
                self._loads(self._k.bias, bias + channel, WORD),
                strict=True,
            )
            ones = [self._mask(count > limit) for count, limit in pairs]
            parts = [self._narrow(ones[i : i + 4]) for i in range(0, len(ones), 4)]
            bits = signs_of(f, self._kernel.isa, parts)
            self._k.y.store(pixel * total + word, cast("uint32", bits))

    def _mask(self, condition: Expr) -> Expr:
        """-1 where the condition holds, else 0."""
        lanes = self._lanes
        return self._f.let(select(condition, splat(const(-1), lanes), splat(const(0), lanes)), "mask")

    def _narrow(self, masks: list[Expr]) -> Expr:
        """Four vectors of masks as one vector of bytes."""
        f, isa = self._f, self._kernel.isa
        if isa == "avx2":
            pairs = [f.let(llvm("int16x16", "llvm.x86.avx2.packssdw", *masks[i : i + 2])) for i in (0, 2)]
            packed = f.let(bits_as("int32x8", llvm("int8x32", "llvm.x86.avx2.packsswb", *pairs)))
            return f.let(bits_as("int8x32", shuffle(packed, (0, 4, 1, 5, 2, 6, 3, 7))), "bytes")
        if isa == "simd128":
            pairs = [f.let(llvm("int16x8", "llvm.wasm.narrow.signed.v8i16.v4i32", *masks[i : i + 2])) for i in (0, 2)]
            return f.let(llvm("int8x16", "llvm.wasm.narrow.signed.v16i8.v8i16", *pairs), "bytes")
        halves = [f.let(cast("int16x8", concat(masks[i], masks[i + 1], 4)), "halves") for i in (0, 2)]
        return f.let(cast("int8x16", concat(halves[0], halves[1], 8)), "bytes")

    def _bytes(self, pixel: Expr, counts: Expr, bias: Expr) -> None:
        f, s, width = self._f, self._shape, 4 * self._lanes
        whole, tail = divmod(s.cout, width)
        if whole:
            with f.loop(whole, "vector") as vector:
                self._store(pixel, counts, bias, f.let(vector * width, "channel"), width)
        if tail:
            self._store(pixel, counts, bias, const(whole * width), tail)

    def _store(self, pixel: Expr, counts: Expr, bias: Expr, channel: Expr, channels: int) -> None:
        """One vector of bytes, of which `channels` are written."""
        f, width = self._f, 4 * self._lanes
        pairs = zip(
            self._loads(self._scratch, counts + channel, width),
            self._loads(self._k.bias, bias + channel, width),
            strict=True,
        )
        acc = [f.let(total - (count + count), "acc") for count, total in pairs]
        y = f.let(self._requantize(acc, self._loads(self._k.multiplier, channel, width)), "y")
        at = f.let(pixel * self._shape.cout + channel, "y_at")
        for start, _, piece in blocks(channels, (width, *(1 << i for i in reversed(range(width.bit_length() - 1))))):
            part = y if piece == width else shuffle(y, range(start, start + piece))
            self._k.y.store(at + start, part, piece)
