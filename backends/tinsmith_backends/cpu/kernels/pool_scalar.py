"""Average and maximum pooling in plain loops, sixteen channels at a time, for the C target."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import Isa, Kernel, PoolShape, Shape

CHANNELS = 16


@dataclass(frozen=True)
class _PoolScalar(Kernel):
    """The loops that both have; a subclass says what a tap does and what the result is."""

    start: ClassVar[int]
    shape: PoolShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every window."""
        return isa in ("scalar", "dsp") and kind == cls.kind and isinstance(shape, PoolShape)

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        return f"s8_{self.kind}_{CHANNELS}_{self.isa}"

    def prim_func(self) -> Any:
        """Plain loops, for TVM's C code generator."""
        from tinsmith_backends.cpu.kernels.emit import blocks, signature

        s = self.shape
        f, k = signature(self)
        with f.loop(s.ho, "oh") as oh, f.loop(s.wo, "ow") as ow:
            for start, count, width in blocks(s.c, (CHANNELS, 4, 1)):
                with f.loop(count, "block") as block:
                    self._block(f, k, oh, ow, f.let(start + block * width, "channel"), width)
        return f.finish()

    def _block(self, f: Any, k: Any, oh: Any, ow: Any, channel: Any, width: int) -> None:
        """`width` channels of one output pixel."""
        from tinsmith_backends.cpu.kernels.emit import valid_taps, widened
        from tinsmith_backends.cpu.kernels.vector import const

        s = self.shape
        acc = f.registers("int32", 1, width)
        with f.loop(width, "c") as c:
            acc[c] = const(self.start)
        top, left = f.let(oh * s.stride_h - s.top, "top"), f.let(ow * s.stride_w - s.left, "left")
        i0, rows = valid_taps(f, s.kh, top, s.dilation_h, s.h)
        j0, columns = valid_taps(f, s.kw, left, s.dilation_w, s.w)
        with f.loop(rows, "i") as i, f.loop(columns, "j") as j:
            ih, iw = top + (i0 + i) * s.dilation_h, left + (j0 + j) * s.dilation_w
            pixel = f.let((ih * s.w + iw) * s.c + channel, "pixel")
            with f.loop(width, "c") as c:
                acc[c] = self._tap(k, acc[c], widened(k.x.load(pixel + c)))
        with f.loop(width, "c") as c:
            k.y.store((oh * s.wo + ow) * s.c + channel + c, self._result(f, k, acc[c]))

    @abstractmethod
    def _tap(self, k: Any, acc: Any, x: Any) -> Any:
        """The accumulator after one more element, an int32."""

    @abstractmethod
    def _result(self, f: Any, k: Any, acc: Any) -> Any:
        """The int8 that comes of it."""


@dataclass(frozen=True)
class AveragePoolScalar(_PoolScalar):
    """Sum of `x - x_zp` over the taps inside the image, requantized."""

    kind: ClassVar[str] = "averagepool"
    start: ClassVar[int] = 0

    def _tap(self, k: Any, acc: Any, x: Any) -> Any:
        return acc + (x - k.x_zp)

    def _result(self, f: Any, k: Any, acc: Any) -> Any:
        from tinsmith_backends.cpu.kernels.emit import requantized

        return requantized(f, acc, k.multiplier.load(0), k, wide=self.shape.wide)


@dataclass(frozen=True)
class MaxPoolScalar(_PoolScalar):
    """Maximum over the taps inside the image."""

    kind: ClassVar[str] = "maxpool"
    start: ClassVar[int] = -128

    def _tap(self, k: Any, acc: Any, x: Any) -> Any:
        from tinsmith_backends.cpu.kernels.vector import maximum

        return maximum(acc, x)

    def _result(self, f: Any, k: Any, acc: Any) -> Any:
        from tinsmith_backends.cpu.kernels.vector import cast

        return cast("int8", acc)
