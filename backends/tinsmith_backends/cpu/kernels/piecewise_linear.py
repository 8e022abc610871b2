"""Two straight pieces a channel on every instruction set: RPReLU, leaky ReLU, and scales that nothing absorbed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementKernel
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class PiecewiseLinear(ElementKernel):
    """Constants are per channel; those of piece 1 stand behind all of piece 0."""

    kind: ClassVar[str] = "piecewiselinear"

    @property
    def name(self) -> str:
        """The tile is one register of bytes."""
        return f"s8_piecewiselinear_{max(1, ISAS[self.isa].vector_bytes)}_{self.isa}"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each vector is read before the one in its place is written."""
        return (0,)

    def prim_func(self) -> Any:
        """Pixels, then full registers of channels and narrower ones for what is left."""
        from tinsmith_backends.cpu.kernels.elementwise_emit import Ending, differences, in_blocks, step_of
        from tinsmith_backends.cpu.kernels.emit import signature
        from tinsmith_backends.cpu.kernels.vector import select

        s = self.shape
        f, k = signature(self)
        ending = Ending(f, self.isa, k, wide=False)
        with f.loop(s.pixels, "pixel") as pixel:
            row = f.let(pixel * s.channels, "row")

            def block(channel: Any, lanes: int) -> None:
                step, acc = step_of(lanes, self.isa), []
                for i, x in enumerate(differences(f, k.x, row + channel, k.x_zp, lanes, step)):
                    at, v = channel + i * step, f.let(x, "v")
                    upper = v >= k.knee.load(at, step)
                    first, second = (
                        v * k.multiplier.load(at + piece * s.channels, step)
                        + k.offset.load(at + piece * s.channels, step)
                        for piece in (0, 1)
                    )
                    acc.append(f.let(select(upper, f.let(second, "second"), f.let(first, "first")), "acc"))
                k.y.store(row + channel, ending.shifted(acc), lanes)

            in_blocks(f, s.channels, self.isa, block)
        return f.finish()
