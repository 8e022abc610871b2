"""Addition and requantization of tensors on thumbv7em, four elements a turn of the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, Kernel, Shape

_UNROLL = 4


def _elements(f: Any, total: int, body: Callable[[Any], None]) -> None:
    """`body(at)` for every element."""
    if total >= _UNROLL:
        with f.loop(total // _UNROLL, "turn") as turn:
            for u in range(_UNROLL):
                body(turn * _UNROLL + u)
    for at in range(total // _UNROLL * _UNROLL, total):
        body(at)


@dataclass(frozen=True)
class AddDsp(Kernel):
    """Everything that does not change is one constant: acc = a * a_multiplier + b * b_multiplier + constant."""

    kind: ClassVar[str] = "add"
    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return isa == "dsp" and kind == "add" and isinstance(shape, ElementShape)

    @property
    def name(self) -> str:
        """The tile is one element."""
        return "s8_add_1_dsp"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each element is read before the one in its place is written."""
        return (0, 1)

    def prim_func(self) -> Any:
        """One pass; a second one only where lo and hi are narrower than int8."""
        from tinsmith_backends.cpu.kernels.dsp import Requantizer
        from tinsmith_backends.cpu.kernels.emit import signature, widened

        total = self.shape.pixels * self.shape.channels
        f, k = signature(self)
        requantizer = Requantizer(f, k, wide=False)
        zeros = k.a_zp * k.a_multiplier + k.b_zp * k.b_multiplier
        constant = f.let(requantizer.rounding - zeros, "constant")

        def body(at: Any) -> None:
            a, b = f.let(widened(k.a.load(at)), "a"), f.let(widened(k.b.load(at)), "b")
            requantizer.store_scaled(b * k.b_multiplier + (a * k.a_multiplier + constant), at)

        _elements(f, total, body)
        requantizer.finish(total)
        return f.finish()


@dataclass(frozen=True)
class RequantizeDsp(Kernel):
    """One multiplier for all channels or one for each."""

    kind: ClassVar[str] = "requantize"
    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return isa == "dsp" and kind == "requantize" and isinstance(shape, ElementShape)

    @property
    def name(self) -> str:
        """The tile is one element."""
        return "s8_requantize_1_dsp"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each element is read before the one in its place is written."""
        return (0,)

    def prim_func(self) -> Any:
        """One pass; a second one only where lo and hi are narrower than int8."""
        from tinsmith_backends.cpu.kernels.dsp import Requantizer
        from tinsmith_backends.cpu.kernels.emit import signature, widened

        s = self.shape
        f, k = signature(self)
        requantizer = Requantizer(f, k, wide=s.wide)
        pixels, run = (s.pixels, s.channels) if s.per_channel else (1, s.pixels * s.channels)
        with f.loop(pixels, "pixel") as pixel:

            def body(channel: Any) -> None:
                at = f.let(pixel * run + channel, "at")
                multiplier = k.multiplier.load(channel if s.per_channel else 0)
                requantizer.store_all([(f.let(widened(k.x.load(at)) - k.x_zp, "acc"), multiplier, at)])

            _elements(f, run, body)
        requantizer.finish(s.pixels * s.channels)
        return f.finish()
