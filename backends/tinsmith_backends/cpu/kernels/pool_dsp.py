"""Average and maximum pooling on thumbv7em, four channels of one pixel at a time."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import Isa, Kernel, PoolShape, Shape

_MOST_TAPS = 256
"""Largest window whose sum of int8 values fits int16."""


@dataclass(frozen=True)
class _PoolDsp(Kernel):
    """The loops that both have; a subclass says what a word of four channels does and what comes of it."""

    shape: PoolShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Four channels or more, and a window whose sum fits int16."""
        return (
            isa == "dsp"
            and kind == cls.kind
            and isinstance(shape, PoolShape)
            and shape.c >= 4
            and shape.kh * shape.kw <= _MOST_TAPS
        )

    @property
    def name(self) -> str:
        """The tile is one pixel × channels."""
        return f"s8_{self.kind}_1x4_dsp"

    def prim_func(self) -> Any:
        """Output pixels, words of four channels, taps inside the image."""
        from tinsmith_backends.cpu.kernels.emit import overlapping, signature, valid_taps

        s = self.shape
        f, k = signature(self)
        requantizer = self._prepare(f, k)
        with f.loop(s.ho, "oh") as oh, f.loop(s.wo, "ow") as ow:
            top, left = f.let(oh * s.stride_h - s.top, "top"), f.let(ow * s.stride_w - s.left, "left")
            i0, rows = valid_taps(f, s.kh, top, s.dilation_h, s.h)
            j0, columns = valid_taps(f, s.kw, left, s.dilation_w, s.w)
            corner = f.let(((top + i0 * s.dilation_h) * s.w + left + j0 * s.dilation_w) * s.c, "corner")
            with overlapping(f, s.c, 4, "channel") as channel:
                acc = self._start(f)
                with f.loop(rows, "i") as i, f.loop(columns, "j") as j:
                    at = corner + channel + (i * (s.dilation_h * s.w) + j * s.dilation_w) * s.c
                    self._tap(f, acc, f.let(k.x.load_bits(at, "int32", 4), "x"))
                self._end(f, k, requantizer, acc, rows * columns, (oh * s.wo + ow) * s.c + channel)
        if requantizer:
            requantizer.finish(s.ho * s.wo * s.c)
        return f.finish()

    def _prepare(self, f: Any, k: Any) -> Any:
        """What stands in front of the loops: the requantizer, if there is one."""
        return None

    @abstractmethod
    def _start(self, f: Any) -> Any:
        """Accumulators of four channels, as registers."""

    @abstractmethod
    def _tap(self, f: Any, acc: Any, word: Any) -> None:
        """Take in four channels of one more pixel of the image."""

    @abstractmethod
    def _end(self, f: Any, k: Any, requantizer: Any, acc: Any, taps: Any, at: Any) -> None:
        """Write four channels to y[at:]; `taps` were taken."""


@dataclass(frozen=True)
class MaxPoolDsp(_PoolDsp):
    """Maximum over the taps inside the image."""

    kind: ClassVar[str] = "maxpool"

    def _start(self, f: Any) -> Any:
        from tinsmith_backends.cpu.kernels.vector import const

        acc = f.registers("int32", 1, 1)
        acc[0] = const(0x80808080 - (1 << 32))
        return acc

    def _tap(self, f: Any, acc: Any, word: Any) -> None:
        from tinsmith_backends.cpu.kernels.dsp import maximum4

        acc[0] = maximum4(f, f.let(acc[0], "most"), word)

    def _end(self, f: Any, k: Any, requantizer: Any, acc: Any, taps: Any, at: Any) -> None:
        from tinsmith_backends.cpu.kernels.dsp import store_word

        store_word(k.y, at, acc[0])


@dataclass(frozen=True)
class AveragePoolDsp(_PoolDsp):
    """Sum over the taps inside the image in int16, less the zero points, requantized."""

    kind: ClassVar[str] = "averagepool"

    def _prepare(self, f: Any, k: Any) -> Any:
        from tinsmith_backends.cpu.kernels.dsp import Requantizer

        return Requantizer(f, k, wide=self.shape.wide)

    def _start(self, f: Any) -> Any:
        from tinsmith_backends.cpu.kernels.vector import const

        acc = f.registers("int32", 1, 2)
        acc[0] = acc[1] = const(0)
        return acc

    def _tap(self, f: Any, acc: Any, word: Any) -> None:
        from tinsmith_backends.cpu.kernels.dsp import extended_onto

        for half in (0, 1):
            acc[half] = extended_onto(acc[half], word, half)

    def _end(self, f: Any, k: Any, requantizer: Any, acc: Any, taps: Any, at: Any) -> None:
        zeros = f.let(taps * k.x_zp, "zeros")
        multiplier = f.let(k.multiplier.load(0), "multiplier")
        # Channels 0 and 1 stand in the low halves, 2 and 3 in the high ones.
        sums = [f.let(acc[n % 2], "sums") for n in range(4)]
        parts = [(sums[n] << 16) >> 16 if n < 2 else sums[n] >> 16 for n in range(4)]
        requantizer.store_all([(f.let(part - zeros, "acc"), multiplier, at + n) for n, part in enumerate(parts)])
