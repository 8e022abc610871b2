"""Turns the counts of a pixel into bits or bytes.

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tvm import tirx

from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.kernels.emit import requantized
from tinsmith_backends.cpu.kernels.vector import Expr, Function, cast, const

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv


class Ending:
    """The ending of one kernel; construct it in front of the loops."""

    def __init__(self, f: Function, arguments: Any, scratch: Any, kernel: BinaryConv) -> None:
        self._f, self._k, self._scratch, self._kernel = f, arguments, scratch, kernel
        self._shape = kernel.shape
        self._counts_at = kernel.band * kernel.tile.rows * kernel.window_words
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
