"""The code of kernels/depthwise.py. Import this module only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinsmith_backends.cpu.kernels.emit import overlapping, part, requantized_lanes, signature, valid_taps
from tinsmith_backends.cpu.kernels.isa import ISAS
from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
from tinsmith_backends.cpu.kernels.vector import Expr, cast, select, splat, vector_type

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.depthwise import Depthwise


class DepthwiseEmitter:
    """Emits one kernel; the accumulators of a pixel are one vector, or four where the block is a full register."""

    def __init__(self, kernel: Depthwise) -> None:
        self.kernel, self.shape, self.lanes = kernel, kernel.shape, kernel.channels
        self.f, self.k = signature(kernel)
        self.w = self.k.w
        full = self.lanes == ISAS[kernel.isa].vector_bytes
        self.step = self.lanes // 4 if full else self.lanes
        self.parts = range(0, self.lanes, self.step)
        self.requantizer = Requantizer(self.f, kernel.isa, self.k, wide=self.shape.wide) if full else None
        self.signs = kernel.signs(self.f, self.k)
        self.zero = self.f.let(splat(cast("int16", self.k.x_zp), self.lanes), "zero")

    def function(self) -> Any:
        """The whole kernel."""
        s, f = self.shape, self.f
        first, last = self.kernel.interior
        border = first + s.wo - last if first < last else s.wo
        with f.loop(s.ho, "oh") as oh:
            top = f.let(oh * s.stride_h - s.top, "top")
            rows = valid_taps(f, s.kh, top, s.dilation_h, s.h)
            if first < last:
                with overlapping(f, last - first, self.kernel.pixels, "tile") as tile:
                    self._vectors(oh, f.let(tile + first, "ow"), top, rows, self.kernel.pixels)
            if border:
                with f.loop(border, "edge") as edge:
                    ow = select(edge < first, edge, edge + (last - first)) if first < last else edge
                    self._vectors(oh, f.let(ow, "ow"), top, rows, 0)
        return f.finish()

    def _vectors(self, oh: Expr, ow: Expr, top: Expr, rows: tuple[Expr, Expr], pixels: int) -> None:
        """All channels of `pixels` pixels inside, or of one pixel at the border where `pixels` is 0."""
        s, f = self.shape, self.f
        count = max(1, pixels)
        with overlapping(f, s.cin, self.lanes, "channel") as channel:
            acc = f.registers("int32", self.step, count * len(self.parts))
            for pixel in range(count):
                for i, start in enumerate(self.parts):
                    acc[pixel * len(self.parts) + i] = self.k.bias.load(channel + start, self.step)
            left = f.let(ow * s.stride_w - s.left, "left")
            with f.loop(rows[1], "i") as i:
                line = f.let((top + (rows[0] + i) * s.dilation_h) * s.w, "line")
                taps = f.let((rows[0] + i) * (s.kw * s.cin) + channel, "taps")
                if pixels:
                    self._row(acc, line + left, taps, channel, pixels)
                else:
                    self._clipped_row(acc, line, left, taps, channel)
            for pixel in range(count):
                self._finish(acc, pixel, (oh * s.wo + ow + pixel) * s.cin + channel, channel)
        if self.signs:
            self.signs.pack(self.k.y, oh * s.wo + ow, count)

    def _row(self, acc: Any, corner: Expr, taps: Expr, channel: Expr, pixels: int) -> None:
        """One row of the window for a tile: each column of the image is loaded once."""
        s = self.shape
        weights = [self._widened(self.w.load(taps + j * s.cin, self.lanes)) for j in range(s.kw)]
        uses: dict[int, list[tuple[int, int]]] = {}
        for pixel in range(pixels):
            for j in range(s.kw):
                uses.setdefault(pixel * s.stride_w + j * s.dilation_w, []).append((pixel, j))
        for column, users in sorted(uses.items()):
            x = self._difference((corner + column) * s.cin + channel)
            for pixel, j in users:
                self._multiply(acc, pixel, x, weights[j])

    def _clipped_row(self, acc: Any, line: Expr, left: Expr, taps: Expr, channel: Expr) -> None:
        """One row of the window for one pixel, over the taps that lie inside the image."""
        s, f = self.shape, self.f
        start, count = valid_taps(f, s.kw, left, s.dilation_w, s.w)
        with f.loop(count, "j") as j:
            tap = f.let(start + j, "tap")
            x = self._difference((line + left + tap * s.dilation_w) * s.cin + channel)
            self._multiply(acc, 0, x, self._widened(self.w.load(taps + tap * s.cin, self.lanes)))

    def _difference(self, at: Expr) -> Expr:
        """x - x_zp as int16, which holds -255..255."""
        return self.f.let(self._widened(self.k.x.load(at, self.lanes)) - self.zero, "x")

    def _widened(self, value: Expr) -> Expr:
        return self.f.let(cast(vector_type("int16", self.lanes), value), "wide")

    def _multiply(self, acc: Any, pixel: int, x: Expr, w: Expr) -> None:
        wide = vector_type("int32", self.step)
        for i, start in enumerate(self.parts):
            at = pixel * len(self.parts) + i
            factors: Sequence[Expr] = [cast(wide, part(v, start, self.step, self.lanes)) for v in (x, w)]
            acc[at] = acc[at] + factors[0] * factors[1]

    def _finish(self, acc: Any, pixel: int, to: Expr, channel: Expr) -> None:
        """Requantize and store one pixel, or its signs."""
        f, k = self.f, self.k
        sums = [acc[pixel * len(self.parts) + i] for i in range(len(self.parts))]
        if self.signs:
            for start, value in zip(self.parts, sums, strict=True):
                self.signs.store(pixel, channel + start, value, self.step)
            return
        multipliers = [k.multiplier.load(channel + start, self.step) for start in self.parts]
        if self.requantizer:
            y = self.requantizer(sums, multipliers)
        else:
            y = requantized_lanes(f, sums[0], multipliers[0], k, self.lanes, wide=self.shape.wide)
        k.y.store(to, y, self.lanes)
