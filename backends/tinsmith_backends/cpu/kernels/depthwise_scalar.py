"""Depthwise convolution in plain loops, sixteen channels at a time, for the C target.

Taps outside the image are skipped, which equals padding with the zero point because `x - x_zp` is what is multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Shape
from tinsmith_backends.cpu.kernels.depthwise_base import DepthwiseKernel

CHANNELS = 16


@dataclass(frozen=True)
class DepthwiseScalar(DepthwiseKernel):
    """`weight` becomes (kh, kw, Cout), so that neighbouring channels lie side by side as they do in NHWC."""

    kind: ClassVar[str] = "depthwise"
    shape: ConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """One input channel a group, any number of output channels a group."""
        return isa == "scalar" and kind == "depthwise" and isinstance(shape, ConvShape) and shape.cin == shape.group

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        return f"{self.types}_depthwise_{CHANNELS}_scalar"

    def prim_func(self) -> Any:
        """Plain loops, for TVM's C code generator."""
        from tinsmith_backends.cpu.kernels.emit import blocks, signature

        s = self.shape
        f, k = signature(self)
        signs = self.signs(f, k)
        self.prepare(f, k)
        with f.loop(s.ho, "oh") as oh, f.loop(s.wo, "ow") as ow:
            for start, count, width in blocks(s.cout, (CHANNELS, 4, 1)):
                with f.loop(count, "block") as block:
                    self._block(f, k, oh, ow, f.let(start + block * width, "channel"), width, signs)
            if signs:
                signs.pack(k.y, oh * s.wo + ow)
        return f.finish()

    def prepare(self, f: Any, k: Any) -> None:
        """Emit what stands in front of the loops."""

    def weight(self, f: Any, k: Any, at: Any) -> Any:
        """Weight number `at` in the order of the constants, as int32."""
        from tinsmith_backends.cpu.kernels.emit import widened

        return f.let(widened(k.w.load(at)), "w")

    def _block(self, f: Any, k: Any, oh: Any, ow: Any, channel: Any, width: int, signs: Any) -> None:
        """`width` output channels of one pixel."""
        from tvm import tirx

        from tinsmith_backends.cpu.kernels.emit import requantized, valid_taps, widened

        s = self.shape
        acc = f.registers("int32", 1, width)
        with f.loop(width, "c") as c:
            acc[c] = k.bias.load(channel + c)
        top, left = f.let(oh * s.stride_h - s.top, "top"), f.let(ow * s.stride_w - s.left, "left")
        i0, rows = valid_taps(f, s.kh, top, s.dilation_h, s.h)
        j0, columns = valid_taps(f, s.kw, left, s.dilation_w, s.w)
        with f.loop(rows, "i") as i, f.loop(columns, "j") as j:
            ih, iw = top + (i0 + i) * s.dilation_h, left + (j0 + j) * s.dilation_w
            pixel = f.let((ih * s.w + iw) * s.cin, "pixel")
            tap = f.let(((i0 + i) * s.kw + j0 + j) * s.cout + channel, "tap")
            with f.loop(width, "c") as c:
                x = widened(k.x.load(pixel + tirx.truncdiv(channel + c, s.cout // s.cin))) - k.x_zp
                acc[c] = acc[c] + x * self.weight(f, k, tap + c)
        with f.loop(width, "c") as c:
            if signs:
                signs.store(0, channel + c, acc[c])
            else:
                y = requantized(f, acc[c], k.multiplier.load(channel + c), k, wide=s.wide)
                k.y.store((oh * s.wo + ow) * s.cout + channel + c, y)
