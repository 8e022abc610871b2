"""Requantization of a tensor in a plain loop, for the C target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, Kernel, Shape


@dataclass(frozen=True)
class RequantizeScalar(Kernel):
    """One multiplier for all channels or one for each."""

    kind: ClassVar[str] = "requantize"
    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return isa == "scalar" and kind == "requantize" and isinstance(shape, ElementShape)

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        return "s8_requantize_1_scalar"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each element is read before the one in its place is written."""
        return (0,)

    def prim_func(self) -> Any:
        """Plain loops, for TVM's C code generator."""
        from tinsmith_backends.cpu.kernels.emit import requantized, signature, widened

        s = self.shape
        f, k = signature(self)
        with f.loop(s.pixels, "pixel") as pixel, f.loop(s.channels, "c") as c:
            at = f.let(pixel * s.channels + c, "at")
            acc = f.let(widened(k.x.load(at)) - k.x_zp, "acc")
            k.y.store(at, requantized(f, acc, k.multiplier.load(c if s.per_channel else 0), k, wide=s.wide))
        return f.finish()
