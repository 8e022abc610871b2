"""Average and maximum pooling on SIMD instruction sets: one vector of channels by one output pixel."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import Isa, Kernel, PoolShape, Shape
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class _Pool(Kernel):
    """The loops that both have; a subclass says how a vector starts, grows by a tap, and ends."""

    shape: PoolShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every window."""
        return ISAS[isa].vector_bytes > 0 and kind == cls.kind and isinstance(shape, PoolShape)

    @property
    def channels(self) -> int:
        """Channels of one vector: a full register, or fewer where the tensor has fewer."""
        full = ISAS[self.isa].vector_bytes
        return next(width for width in (full, 16, 8, 4, 2, 1) if width <= min(full, self.shape.c))

    @property
    def name(self) -> str:
        """Tiles are one pixel × channels."""
        return f"s8_{self.kind}_{self.channels}_{self.isa}"

    def prim_func(self) -> Any:
        """Output rows, output columns, vectors of channels, taps inside the image."""
        from tinsmith_backends.cpu.kernels.emit import overlapping, signature, valid_taps

        s = self.shape
        f, k = signature(self)
        finish = self._prepare(f, k)
        with f.loop(s.ho, "oh") as oh:
            top = f.let(oh * s.stride_h - s.top, "top")
            i0, rows = valid_taps(f, s.kh, top, s.dilation_h, s.h)
            with f.loop(s.wo, "ow") as ow:
                left = f.let(ow * s.stride_w - s.left, "left")
                j0, columns = valid_taps(f, s.kw, left, s.dilation_w, s.w)
                corner = f.let((top + i0 * s.dilation_h) * s.w + left + j0 * s.dilation_w, "corner")
                with overlapping(f, s.c, self.channels, "channel") as channel:
                    acc = self._start(f)
                    with f.loop(rows, "i") as i, f.loop(columns, "j") as j:
                        pixel = corner + i * (s.dilation_h * s.w) + j * s.dilation_w
                        self._tap(f, k, acc, f.let(pixel * s.c + channel, "at"))
                    k.y.store((oh * s.wo + ow) * s.c + channel, finish(acc), self.channels)
        return f.finish()

    @abstractmethod
    def _prepare(self, f: Any, k: Any) -> Any:
        """What stands in front of the loops; returns a function from the accumulators to the int8 vector."""

    @abstractmethod
    def _start(self, f: Any) -> Any:
        """The accumulators of one vector of channels, as registers."""

    @abstractmethod
    def _tap(self, f: Any, k: Any, acc: Any, at: Any) -> None:
        """Take one more vector of the image, from element `at` on, into the accumulators."""


@dataclass(frozen=True)
class MaxPool(_Pool):
    """Maximum over the taps inside the image."""

    kind: ClassVar[str] = "maxpool"

    def _prepare(self, f: Any, k: Any) -> Any:
        return lambda acc: acc[0]

    def _start(self, f: Any) -> Any:
        from tinsmith_backends.cpu.kernels.vector import const, splat

        acc = f.registers("int8", self.channels, 1)
        acc[0] = splat(const(-128, "int8"), self.channels)
        return acc

    def _tap(self, f: Any, k: Any, acc: Any, at: Any) -> None:
        from tinsmith_backends.cpu.kernels.vector import maximum

        acc[0] = maximum(acc[0], f.let(k.x.load(at, self.channels), "x"))


@dataclass(frozen=True)
class AveragePool(_Pool):
    """Sum of `x - x_zp` over the taps inside the image, requantized."""

    kind: ClassVar[str] = "averagepool"

    @property
    def _step(self) -> int:
        """Channels of one accumulator: a quarter of a full vector of bytes, else all of a narrower one."""
        return self.channels // 4 if self.channels == ISAS[self.isa].vector_bytes else self.channels

    def _prepare(self, f: Any, k: Any) -> Any:
        from tinsmith_backends.cpu.kernels.emit import requantized_lanes
        from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
        from tinsmith_backends.cpu.kernels.vector import splat

        multiplier = f.let(splat(k.multiplier.load(0), self._step), "multiplier")
        parts = self.channels // self._step
        if parts == 1:
            return lambda acc: requantized_lanes(f, acc[0], multiplier, k, self.channels, wide=self.shape.wide)
        requantizer = Requantizer(f, self.isa, k, wide=self.shape.wide)
        return lambda acc: requantizer([acc[i] for i in range(parts)], [multiplier] * parts)

    def _start(self, f: Any) -> Any:
        from tinsmith_backends.cpu.kernels.vector import const, splat

        acc = f.registers("int32", self._step, self.channels // self._step)
        for i in range(self.channels // self._step):
            acc[i] = splat(const(0), self._step)
        return acc

    def _tap(self, f: Any, k: Any, acc: Any, at: Any) -> None:
        from tinsmith_backends.cpu.kernels.emit import part
        from tinsmith_backends.cpu.kernels.vector import cast, splat, vector_type

        zero = splat(cast("int16", k.x_zp), self.channels)
        x = f.let(cast(vector_type("int16", self.channels), k.x.load(at, self.channels)) - zero, "x")
        for i in range(self.channels // self._step):
            lanes = part(x, i * self._step, self._step, self.channels)
            acc[i] = acc[i] + cast(vector_type("int32", self._step), lanes)
