"""Requantization of a tensor on SIMD instruction sets, one register of bytes at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, Kernel, Shape
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class Requantize(Kernel):
    """One multiplier for all channels or one for each."""

    kind: ClassVar[str] = "requantize"
    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return ISAS[isa].vector_bytes > 0 and kind == "requantize" and isinstance(shape, ElementShape)

    @property
    def name(self) -> str:
        """The tile is one register of bytes."""
        return f"s8_requantize_{ISAS[self.isa].vector_bytes}_{self.isa}"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each vector is read before the one in its place is written."""
        return (0,)

    def prim_func(self) -> Any:
        """Full registers, then narrower vectors for what is left of a pixel, or of the tensor."""
        from tinsmith_backends.cpu.kernels.elementwise_emit import differences, in_blocks, step_of
        from tinsmith_backends.cpu.kernels.emit import requantized_lanes, signature
        from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
        from tinsmith_backends.cpu.kernels.vector import splat

        s = self.shape
        f, k = signature(self)
        requantizer = Requantizer(f, self.isa, k, wide=s.wide)
        pixels, run = (s.pixels, s.channels) if s.per_channel else (1, s.pixels * s.channels)

        with f.loop(pixels, "pixel") as pixel:

            def block(channel: Any, lanes: int) -> None:
                step = step_of(lanes, self.isa)
                at = f.let(pixel * run + channel, "at")
                acc = differences(f, k.x, at, k.x_zp, lanes, step)
                if s.per_channel:
                    multiplier = [k.multiplier.load(channel + i, step) for i in range(0, lanes, step)]
                else:
                    multiplier = [splat(k.multiplier.load(0), step)] * len(acc)
                if len(acc) > 1:
                    y = requantizer(acc, multiplier)
                else:
                    y = requantized_lanes(f, acc[0], multiplier[0], k, lanes, wide=s.wide)
                k.y.store(at, y, lanes)

            in_blocks(f, run, self.isa, block)
        return f.finish()
