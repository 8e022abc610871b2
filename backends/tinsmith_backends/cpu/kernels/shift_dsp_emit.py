"""The code of kernels/shift_dsp.py. Import this module only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from typing import Any

from tinsmith_backends.cpu.kernels.conv_dsp_emit import ConvDspEmitter
from tinsmith_backends.cpu.kernels.dsp import smlad
from tinsmith_backends.cpu.kernels.shift_dsp import ShiftDsp
from tinsmith_backends.cpu.kernels.vector import Expr, cast, const

_TURN = 8
"""Words of four weights a turn of the innermost loop: their codes fill whole words, of 3 bits three."""


class ShiftDspEmitter(ConvDspEmitter):
    """Emits one kernel."""

    kernel: ShiftDsp

    def __init__(self, kernel: ShiftDsp) -> None:
        super().__init__(kernel)
        self.bits = kernel.shape.bits
        with self.f.loop(1 << (2 * self.bits), "pair") as pair:
            low, high = self._weight(pair & ((1 << self.bits) - 1)), self._weight(pair >> self.bits)
            self.k.scratch.store(kernel.table + pair, (low & 0xFFFF) | (high << 16))

    def _weight(self, code: Expr) -> Expr:
        """±2**S of a code."""
        magnitude = const(1) << (code & ((1 << (self.bits - 1)) - 1))
        negative = self.f.let(const(0) - (code >> (self.bits - 1)), "negative")
        return self.f.let((magnitude ^ negative) - negative, "weight")

    def _products(self, group: Expr, places: list[Expr]) -> None:
        self._multiply(group, places)

    def _store(self, acc: Expr, multiplier: Expr, at: Expr) -> None:
        self.requantizer.store_all([(acc, multiplier, at)])

    def _sum(self, acc: Any, weights: Expr, width: int) -> None:
        """Add the products of all words of the window, eight words a turn of the loop."""
        f, words = self.f, self.kernel.words
        turns, codes = words // _TURN, _TURN * 4 * self.bits // 32 * width
        if turns:
            with f.loop(turns, "turn") as turn:
                self._turn(acc, turn * _TURN, f.let(weights + turn * codes, "codes"), _TURN, width)
        self._turn(acc, const(turns * _TURN), f.let(weights + turns * codes, "codes"), words % _TURN, width)

    def _turn(self, acc: Any, first: Expr, codes: Expr, words: int, width: int) -> None:
        """The products of `words` words of weights, whose codes start at a word."""
        pixels = self.kernel.pixels
        loaded: dict[tuple[int, int], Expr] = {}

        def word_of_codes(number: int, n: int) -> Expr:
            if (number, n) not in loaded:
                value = self.k.w.load(codes + number * width + n)
                loaded[number, n] = self.f.let(cast("uint32", value), "codes")
            return loaded[number, n]

        for pair in range(2 * words):
            w = [self._pair(pair, lambda number, n=n: word_of_codes(number, n)) for n in range(width)]
            for m in range(pixels):
                place = ((first + pair // 2) * pixels + m) * 2 + pair % 2
                x = self.f.let(self.k.scratch.load(place), "x")
                for n in range(width):
                    acc[m * width + n] = smlad(w[n], x, acc[m * width + n])

    def _pair(self, pair: int, word_of_codes: Any) -> Expr:
        """Pair number `pair` of weights behind a word of codes."""
        bits = 2 * self.bits
        number, shift = divmod(pair * bits, 32)
        mask = (1 << bits) - 1
        index = word_of_codes(number) >> const(shift, "uint32")
        missing = shift + bits - 32
        if missing > 0:
            index = index | (word_of_codes(number + 1) << const(bits - missing, "uint32"))
        index = self.f.let(cast("int32", index & const(mask, "uint32")), "index")
        return self.f.let(self.k.scratch.load(self.kernel.table + index), "w")
