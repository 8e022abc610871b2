"""The code of kernels/conv_dsp.py. Import this module only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tvm import tirx

from tinsmith_backends.cpu.kernels.conv_dsp import CHANNELS
from tinsmith_backends.cpu.kernels.dsp import Requantizer, barrier, extended, pair, smlad
from tinsmith_backends.cpu.kernels.emit import blocks, signature, widened
from tinsmith_backends.cpu.kernels.pack_bits import SignRows
from tinsmith_backends.cpu.kernels.vector import Expr, const, minimum, select

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.conv_dsp import ConvDsp

_UNROLL = 12
"""Words of weights a turn of the innermost loop: as many as LLVM schedules without spilling more."""


class ConvDspEmitter:
    """Emits one kernel. Scratch and weights are read as words."""

    def __init__(self, kernel: ConvDsp) -> None:
        self.kernel, self.shape = kernel, kernel.shape
        self.f, self.k = signature(kernel, {"w": "int32", "scratch": "int32"})
        self.requantizer = Requantizer(self.f, self.k, wide=self.shape.wide)
        self.minus_zero = pair(self.f, const(0) - self.k.x_zp)
        rows = (kernel.window_bytes, kernel.pixels, self.shape.cout)
        self.signs = SignRows(self.f, kernel.isa, self.k.scratch, *rows) if self.shape.packed else None

    def function(self) -> Any:
        """The whole kernel."""
        s, f, pixels = self.shape, self.f, self.kernel.pixels
        total = s.ho * s.wo
        with f.loop(-(-total // pixels), "tile") as tile:
            # An odd last pixel is computed twice: both are gathered before either is written.
            places = [f.let(minimum(tile * pixels + m, total - 1), "place") for m in range(pixels)]
            with f.loop(s.group, "group") as group:
                with f.loop(pixels, "pixel") as m:
                    self._gather(group, f.let(minimum(tile * pixels + m, total - 1), "place"), m)
                self._products(group, places)
            if self.signs:
                for m, place in enumerate(places):
                    self.signs.pack_row(self.k.y, place, m)
        if not self.signs:
            self.requantizer.finish(total * s.cout)
        return f.finish()

    def _products(self, group: Expr, places: list[Expr]) -> None:
        """Every channel of the group for the gathered pixels, in the fastest way that the shift allows."""
        if not self.shape.wide:
            self._multiply(group, places)
            return
        with self.f.when(self.requantizer.fast):
            self._multiply(group, places)
        with self.f.otherwise():
            self._multiply_slowly(group, places)

    def _gather(self, group: Expr, place: Expr, m: Expr) -> None:
        """The window of output pixel `place` to scratch, as pixel number `m` of the tile."""
        s, f = self.shape, self.f
        oh = f.let(tirx.truncdiv(place, s.wo), "oh")
        top = f.let(oh * s.stride_h - s.top, "top")
        left = f.let((place - oh * s.wo) * s.stride_w - s.left, "left")
        first = f.let((top * s.w + left) * s.cin + group * self.kernel.inputs, "first")
        if not self._padded():
            self._gather_inside(first, m)
            return
        bottom, right = top + (s.kh - 1) * s.dilation_h, left + (s.kw - 1) * s.dilation_w
        rows, columns = tirx.And(top >= 0, bottom < s.h), tirx.And(left >= 0, right < s.w)
        with f.when(tirx.And(rows, columns)):
            self._gather_inside(first, m)
        with f.otherwise():
            self._gather_border(first, top, left, m)

    def _padded(self) -> bool:
        """Whether any window reaches outside of the image."""
        s = self.shape
        bottom = (s.ho - 1) * s.stride_h - s.top + (s.kh - 1) * s.dilation_h
        right = (s.wo - 1) * s.stride_w - s.left + (s.kw - 1) * s.dilation_w
        return s.top > 0 or s.left > 0 or bottom >= s.h or right >= s.w

    def _gather_inside(self, first: Expr, m: Expr) -> None:
        s, f, inputs = self.shape, self.f, self.kernel.inputs
        row = s.dilation_h * s.w * s.cin
        if self.kernel.by_elements:
            self._elements(m, lambda i, j, c: (None, first + (i * row + j * s.dilation_w * s.cin + c)))
        elif s.group == 1 and inputs % 4 == 0 and (s.dilation_w == 1 or s.kw == 1):
            with f.loop(s.kh, "i") as i:
                self._copy(first + i * row, i * (s.kw * inputs // 4), m, s.kw * inputs)
        else:
            with f.loop(s.kh, "i") as i, f.loop(s.kw, "j") as j:
                tap = i * s.kw + j
                self._copy(first + i * row + j * (s.dilation_w * s.cin), tap * -(-inputs // 4), m, inputs)

    def _gather_border(self, first: Expr, top: Expr, left: Expr, m: Expr) -> None:
        """Tap by tap; what lies outside of the image is zero."""
        s, f, inputs = self.shape, self.f, self.kernel.inputs
        row, column = s.dilation_h * s.w * s.cin, s.dilation_w * s.cin

        def inside(i: Expr, j: Expr) -> Expr:
            ih, iw = top + i * s.dilation_h, left + j * s.dilation_w
            return tirx.And(tirx.And(ih >= 0, ih < s.h), tirx.And(iw >= 0, iw < s.w))

        if self.kernel.by_elements:
            tests = {(i, j): f.let(inside(i, j), "inside") for i in range(s.kh) for j in range(s.kw)}
            self._elements(m, lambda i, j, c: (tests[i, j], first + (i * row + j * column + c)))
            return
        words = -(-inputs // 4)
        with f.loop(s.kh, "i") as i, f.loop(s.kw, "j") as j:
            to = f.let((i * s.kw + j) * words, "to")
            with f.when(inside(i, j)):
                self._copy(first + i * row + j * column, to, m, inputs)
            with f.otherwise(), f.loop(words, "word") as word:
                self._put(to + word, m, const(0), const(0))

    def _copy(self, source: Expr, to: Expr, m: Expr, elements: int) -> None:
        """`elements` neighbouring bytes of x to the words from `to` on, filled up with zeros."""
        f = self.f
        source, to = f.let(source, "source"), f.let(to, "to")
        if elements >= 4:
            with f.loop(elements // 4, "word") as word:
                self._put(to + word, m, *self._extended(source + word * 4))
        if elements % 4:
            rest = elements // 4 * 4
            values = [self._element(None, source + rest + i) if i < elements % 4 else const(0) for i in range(4)]
            self._put(to + elements // 4, m, *self._paired(values))

    def _elements(self, m: Expr, where: Any) -> None:
        """The window word by word, unrolled. `where(i, j, c)` gives the test (or None) and the place of an element."""
        s = self.shape
        window = [(i, j, c) for i in range(s.kh) for j in range(s.kw) for c in range(self.kernel.inputs)]
        offsets = [(i * s.dilation_h * s.w + j * s.dilation_w) * s.cin + c for i, j, c in window]
        for word in range(self.kernel.words):
            part = window[word * 4 : word * 4 + 4]
            at = offsets[word * 4 : word * 4 + 4]
            places = [where(*element) for element in part]
            if at == list(range(at[0], at[0] + 4)) and places[0][0] is None:
                self._put(word, m, *self._extended(places[0][1]))
                continue
            values = [self._element(test, place) for test, place in places]
            self._put(word, m, *self._paired([*values, *[const(0)] * (4 - len(values))]))

    def _extended(self, at: Expr) -> tuple[Expr, Expr]:
        """x[at..at+3] - x_zp as pairs (0, 2) and (1, 3)."""
        word = self.f.let(self.k.x.load_bits(at, "int32", 4), "bytes")
        return extended(word, self.minus_zero)

    def _element(self, test: Expr | None, at: Expr) -> Expr:
        """x[at] - x_zp, or 0 where the test fails."""
        value = widened(self.k.x.load(at)) - self.k.x_zp
        return self.f.let(value if test is None else tirx.if_then_else(test, value, const(0)), "element")

    @staticmethod
    def _paired(values: list[Expr]) -> tuple[Expr, Expr]:
        """Four int32 that fit int16 as pairs (0, 2) and (1, 3)."""
        low, high = ((values[i] & 0xFFFF) | (values[i + 2] << 16) for i in (0, 1))
        return low, high

    def _at(self, word: Expr, m: Expr) -> Expr:
        """Where the two pairs of a word of the window of pixel `m` stand in scratch."""
        return (word * self.kernel.pixels + m) * 2 + self.kernel.windows_at

    def _put(self, word: Expr, m: Expr, low: Expr, high: Expr) -> None:
        at = self._at(word, m)
        low, high = self.f.let(low, "low"), self.f.let(high, "high")
        self.k.scratch.store(at, low)
        self.k.scratch.store(at + 1, high)

    def _multiply(self, group: Expr, places: list[Expr]) -> None:
        """Every channel of the group for the gathered pixels."""
        s, f = self.shape, self.f
        outputs = s.cout // s.group
        for start, count, width in blocks(outputs, (CHANNELS, 1)):
            with f.loop(count, "block") as block:
                channel = f.let(group * outputs + start + block * width, "channel")
                barrier(f, channel)
                acc = f.registers("int32", 1, len(places) * width)
                for n in range(width):
                    bias = f.let(self.k.bias.load(channel + n), "bias")
                    for m in range(len(places)):
                        acc[m * width + n] = bias
                self._sum(acc, f.let(channel * self.kernel.words, "weights"), width)
                for n in range(width):
                    if self.signs:
                        for m in range(len(places)):
                            self.signs.store(m, channel + n, acc[m * width + n])
                        continue
                    multiplier = f.let(self.k.multiplier.load(channel + n), "multiplier")
                    for m, place in enumerate(places):
                        self.requantizer.store(acc[m * width + n], multiplier, place * s.cout + channel + n)

    def _multiply_slowly(self, group: Expr, places: list[Expr]) -> None:
        """As `_multiply`, one output at a time, for shifts that need all of the 64-bit product."""
        s, f = self.shape, self.f
        outputs = s.cout // s.group
        for start, count, width in blocks(outputs, (CHANNELS, 1)):
            with f.loop(count, "block") as block, f.loop(width, "n") as n, f.loop(len(places), "m") as m:
                first = f.let(group * outputs + start + block * width, "first")
                acc = f.registers("int32", 1, 1)
                acc[0] = self.k.bias.load(first + n)
                with f.loop(self.kernel.words, "word") as word:
                    w = extended(f.let(self.k.w.load((first * self.kernel.words) + word * width + n), "w"))
                    x = [self.k.scratch.load(self._at(word, m) + half) for half in (0, 1)]
                    acc[0] = smlad(w[1], x[1], smlad(w[0], x[0], acc[0]))
                place = places[0] if len(places) == 1 else select(m < 1, places[0], places[1])
                multiplier = self.k.multiplier.load(first + n)
                self.requantizer.store_slowly(acc[0], multiplier, place * s.cout + first + n)

    def _sum(self, acc: Any, weights: Expr, width: int) -> None:
        """Add the products of all words of the window, four words a turn of the loop."""
        f, words = self.f, self.kernel.words
        turns = words // _UNROLL
        if turns:
            with f.loop(turns, "turn") as turn:
                for u in range(_UNROLL):
                    self._word(acc, turn * _UNROLL + u, weights, width)
        for word in range(turns * _UNROLL, words):
            self._word(acc, const(word), weights, width)

    def _word(self, acc: Any, word: Expr, weights: Expr, width: int) -> None:
        """Four products for each pixel and channel."""
        f, pixels = self.f, self.kernel.pixels
        loaded = [f.let(self.k.w.load(weights + word * width + n), "w") for n in range(width)]
        w = [tuple(f.let(half, "w") for half in extended(value)) for value in loaded]
        for m in range(pixels):
            x = [f.let(self.k.scratch.load(self._at(word, m) + half), "x") for half in (0, 1)]
            for n in range(width):
                at = m * width + n
                acc[at] = smlad(w[n][1], x[1], smlad(w[n][0], x[0], acc[at]))
