"""The code of kernels/shift_dsp.py. Import this module only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tvm import tirx

from tinsmith_backends.cpu.kernels.conv_dsp import CHANNELS
from tinsmith_backends.cpu.kernels.conv_dsp_emit import ConvDspEmitter
from tinsmith_backends.cpu.kernels.dsp import barrier, smlad
from tinsmith_backends.cpu.kernels.emit import blocks
from tinsmith_backends.cpu.kernels.shift_dsp import ShiftDsp
from tinsmith_backends.cpu.kernels.vector import Expr, cast, const, minimum

_TURN = 8
"""Words of four weights that are decoded a turn of a loop: their codes fill whole words, of 3 bits three."""
_UNROLL = 16
"""Words of stored weights that are multiplied a turn of a loop."""


class ShiftDspEmitter(ConvDspEmitter):
    """Emits one kernel."""

    kernel: ShiftDsp

    def __init__(self, kernel: ShiftDsp) -> None:
        super().__init__(kernel)
        self.bits = kernel.shape.bits
        with self.f.loop(1 << (2 * self.bits), "pair") as pair:
            low, high = self._weight(pair & ((1 << self.bits) - 1)), self._weight(pair >> self.bits)
            self.k.scratch.store(pair, (low & 0xFFFF) | (high << 16))

    def _weight(self, code: Expr) -> Expr:
        """±2**S of a code."""
        magnitude = const(1) << (code & ((1 << (self.bits - 1)) - 1))
        negative = self.f.let(const(0) - (code >> (self.bits - 1)), "negative")
        return self.f.let((magnitude ^ negative) - negative, "weight")

    def function(self) -> Any:
        """The whole kernel."""
        s, f, pixels = self.shape, self.f, self.kernel.pixels
        total = s.ho * s.wo

        def place(m: Expr) -> Expr:
            # Pixels behind the last one repeat it: all are gathered before any is written.
            return f.let(minimum(number * pixels + m, total - 1), "place")

        with f.loop(-(-total // pixels), "section") as number:
            with f.loop(s.group, "group") as group:
                with f.loop(pixels, "pixel") as m:
                    self._gather(group, place(m), m)
                self._channels(group, place)
            if self.signs:
                with f.loop(pixels, "pixel") as m:
                    self.signs.pack_row(self.k.y, place(m), m)
        if not self.signs:
            self.requantizer.finish(total * s.cout)
        return f.finish()

    def _channels(self, group: Expr, place: Callable[[Expr], Expr]) -> None:
        """Every channel of the group for the gathered pixels."""
        f, outputs, tile = self.f, self.shape.cout // self.shape.group, self.kernel.tile
        for start, count, width in blocks(outputs, (CHANNELS, 1)):
            with f.loop(count, "block") as block:
                channel = f.let(group * outputs + start + block * width, "channel")
                barrier(f, channel)
                codes = f.let(channel * self.kernel.weight_words, "codes")
                if self.kernel.stored:
                    for n in range(width):
                        self._decode(codes, n, width)
                with f.loop(self.kernel.pixels // tile, "tile") as number:
                    self._tile(f.let(number * tile, "m"), channel, codes, width, place)

    def _tile(self, first: Expr, channel: Expr, codes: Expr, width: int, place: Callable[[Expr], Expr]) -> None:
        """Sums and results of one tile, from pixel `first` of the section on."""
        f, k, tile = self.f, self.k, self.kernel.tile
        barrier(f, first)
        acc = f.registers("int32", 1, tile * width)
        for n in range(width):
            bias = f.let(k.bias.load(channel + n), "bias")
            for m in range(tile):
                acc[m * width + n] = bias
        self._accumulate(acc, first, codes, width)
        for m in range(tile):
            if self.signs:
                for n in range(width):
                    self.signs.store(first + m, channel + n, acc[m * width + n])
                continue
            at = f.let(place(first + m) * self.shape.cout + channel, "at")
            for n in range(width):
                self.requantizer.store_all([(acc[m * width + n], k.multiplier.load(channel + n), at + n)])

    def _words(self, turn: Callable[[Expr, int], None], length: int) -> None:
        """Call `turn(first word, words)` for all words of the window, `length` of them a turn of a loop."""
        turns, rest = divmod(self.kernel.words, length)
        if turns:
            with self.f.loop(turns, "turn") as number:
                turn(number * length, length)
        if rest:
            turn(const(turns * length), rest)

    def _accumulate(self, acc: Any, first: Expr, codes: Expr, width: int) -> None:
        """Add the products of all words of the window."""

        def stored(word: Expr, words: int) -> None:
            for u in range(words):
                for half in (0, 1):
                    w = [self.k.scratch.load(self._stored(word + u, n, width) + half) for n in range(width)]
                    self._multiply_pair(acc, [self.f.let(v, "w") for v in w], word + u, half, first)

        def fresh(word: Expr, words: int) -> None:
            pairs = [self._pairs(self._codes_at(codes, word, n, width), words, width) for n in range(width)]
            for number, w in enumerate(zip(*pairs, strict=True)):
                self._multiply_pair(acc, w, word + number // 2, number % 2, first)

        self._words(stored if self.kernel.stored else fresh, _UNROLL if self.kernel.stored else _TURN)

    def _multiply_pair(self, acc: Any, w: Sequence[Expr], word: Expr, half: int, first: Expr) -> None:
        for m in range(self.kernel.tile):
            x = self.f.let(self.k.scratch.load(self._at(word, first + m) + half), "x")
            for n, pair in enumerate(w):
                acc[m * len(w) + n] = smlad(pair, x, acc[m * len(w) + n])

    def _stored(self, word: Expr, n: int, width: int) -> Expr:
        """Where the two pairs of a word of channel `n` of a block are stored."""
        return self.kernel.stored_at + (word * width + n) * 2

    def _decode(self, codes: Expr, n: int, width: int) -> None:
        """Store the pairs of channel `n` of a block."""

        def turn(word: Expr, words: int) -> None:
            pairs = self._pairs(self._codes_at(codes, word, n, width), words, width)
            # Both pairs of a word are loaded before one is stored, so that one STRD stores them.
            for u, both in enumerate(zip(pairs, pairs, strict=True)):
                for half, w in enumerate(both):
                    self.k.scratch.store(self._stored(word + u, n, width) + half, w)

        self._words(turn, _TURN)

    def _codes_at(self, codes: Expr, word: Expr, n: int, width: int) -> Expr:
        """Where the codes of a channel of a block start from a whole turn's word on."""
        return self.f.let(codes + tirx.truncdiv(word, _TURN) * (_TURN * 4 * self.bits // 32 * width) + n, "codes")

    def _pairs(self, codes: Expr, words: int, width: int) -> Iterator[Expr]:
        """The pairs of `words` words of weights, whose codes start at word `codes` and stand `width` words apart."""
        bits = 2 * self.bits
        loaded: dict[int, Expr] = {}

        def word_of_codes(number: int) -> Expr:
            if number not in loaded:
                value = self.k.w.load(codes + number * width)
                loaded[number] = self.f.let(cast("uint32", value), "codes")
            return loaded[number]

        for pair in range(2 * words):
            number, shift = divmod(pair * bits, 32)
            index = word_of_codes(number) >> const(shift, "uint32")
            missing = shift + bits - 32
            if missing > 0:
                index = index | (word_of_codes(number + 1) << const(bits - missing, "uint32"))
            index = self.f.let(cast("int32", index & const((1 << bits) - 1, "uint32")), "index")
            yield self.f.let(self.k.scratch.load(index), "w")
