"""Depthwise convolution on thumbv7em, four channels of one pixel at a time.

SXTAB16 unpacks a word of four inputs and removes the zero point at once, so a tap outside of the image is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Shape
from tinsmith_backends.cpu.kernels.depthwise_base import DepthwiseKernel

_MOST_UNROLLED = 25
"""Largest window, in taps, that is unrolled where it lies inside the image."""


@dataclass(frozen=True)
class DepthwiseDsp(DepthwiseKernel):
    """`weight` becomes (kh, kw, channels); the bias stays."""

    kind: ClassVar[str] = "depthwise"
    shape: ConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """One input and one output channel a group, four groups or more."""
        return (
            isa == "dsp"
            and kind == "depthwise"
            and isinstance(shape, ConvShape)
            and shape.cin == shape.cout == shape.group >= 4
        )

    @property
    def name(self) -> str:
        """Weights are int8; the tile is one pixel × channels."""
        return f"{self.types}_depthwise_1x4_dsp"

    def prim_func(self) -> Any:
        """Pixels; inside the image with an unrolled window, at its border with the taps that are valid."""
        from tvm import tirx

        from tinsmith_backends.cpu.kernels.dsp import Requantizer, pair
        from tinsmith_backends.cpu.kernels.emit import signature
        from tinsmith_backends.cpu.kernels.vector import const

        s = self.shape
        f, k = signature(self)
        requantizer, signs = Requantizer(f, k, wide=s.wide), self.signs(f, k)
        minus_zero = pair(f, const(0) - k.x_zp)
        with f.loop(s.ho, "oh") as oh, f.loop(s.wo, "ow") as ow:
            top, left = f.let(oh * s.stride_h - s.top, "top"), f.let(ow * s.stride_w - s.left, "left")
            to = f.let((oh * s.wo + ow) * s.cin, "to")
            bottom, right = top + (s.kh - 1) * s.dilation_h, left + (s.kw - 1) * s.dilation_w
            rows, columns = tirx.And(top >= 0, bottom < s.h), tirx.And(left >= 0, right < s.w)
            ends = (requantizer, signs)
            if s.kh * s.kw > _MOST_UNROLLED:
                self._pixel(f, k, ends, minus_zero, top, left, to, inside=False)
            else:
                with f.when(tirx.And(rows, columns)):
                    self._pixel(f, k, ends, minus_zero, top, left, to, inside=True)
                with f.otherwise():
                    self._pixel(f, k, ends, minus_zero, top, left, to, inside=False)
            if signs:
                signs.pack_row(k.y, oh * s.wo + ow, 0)
        if not signs:
            requantizer.finish(s.ho * s.wo * s.cin)
        return f.finish()

    def _pixel(self, f: Any, k: Any, ends: Any, minus_zero: Any, top: Any, left: Any, to: Any, *, inside: bool) -> None:
        """All channels of one pixel, which stands at element `to` of the output; `ends`: requantizer and signs."""
        from tinsmith_backends.cpu.kernels.dsp import extended, smlabb, smlatt
        from tinsmith_backends.cpu.kernels.emit import overlapping, valid_taps

        s, (requantizer, signs) = self.shape, ends
        corner = f.let((top * s.w + left) * s.cin, "corner")
        i0, rows = (0, s.kh) if inside else valid_taps(f, s.kh, top, s.dilation_h, s.h)
        j0, columns = (0, s.kw) if inside else valid_taps(f, s.kw, left, s.dilation_w, s.w)

        def tap(i: Any, j: Any) -> None:
            at = corner + channel + (i * (s.dilation_h * s.w) + j * s.dilation_w) * s.cin
            x = extended(f.let(k.x.load_bits(at, "int32", 4), "x"), minus_zero)
            w = extended(f.let(k.w.load_bits((i * s.kw + j) * s.cin + channel, "int32", 4), "w"))
            for half in (0, 1):
                a, b = f.let(x[half], "x"), f.let(w[half], "w")
                acc[half] = smlabb(a, b, acc[half])
                acc[2 + half] = smlatt(a, b, acc[2 + half])

        with overlapping(f, s.cin, 4, "channel") as channel:
            acc = f.registers("int32", 1, 4)
            for n in range(4):
                acc[n] = k.bias.load(channel + n)
            if inside:
                for place in range(s.kh * s.kw):
                    tap(place // s.kw, place % s.kw)
            else:
                with f.loop(rows, "i") as i, f.loop(columns, "j") as j:
                    tap(f.let(i0 + i, "i"), f.let(j0 + j, "j"))
            if signs:
                for n in range(4):
                    signs.store(0, channel + n, acc[n])
            else:
                requantizer.store_all([(acc[n], k.multiplier.load(channel + n), to + channel + n) for n in range(4)])
