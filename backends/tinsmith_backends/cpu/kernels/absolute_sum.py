"""Sums of magnitudes on every instruction set: XNOR-Net's scale of activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementKernel
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class AbsoluteSum(ElementKernel):
    """One sum of |x - x_zp| over `channels` neighbours for each of `pixels` rows, requantized."""

    kind: ClassVar[str] = "absolutesum"

    @property
    def name(self) -> str:
        """The tile is one register of bytes."""
        return f"s8_absolutesum_{max(1, ISAS[self.isa].vector_bytes)}_{self.isa}"

    def prim_func(self) -> Any:
        """Rows; in each full registers, then single bytes."""
        from tinsmith_backends.cpu.kernels.elementwise_emit import differences, step_of, widths
        from tinsmith_backends.cpu.kernels.emit import blocks, requantized, signature
        from tinsmith_backends.cpu.kernels.vector import const, lane, maximum, splat

        s, full = self.shape, widths(self.isa)[0]
        f, k = signature(self)
        lanes = step_of(full, self.isa)
        with f.loop(s.pixels, "pixel") as pixel:
            row = f.let(pixel * s.channels, "row")
            total = f.registers("int32", 1, 1)
            total[0] = const(0)
            for start, count, width in blocks(s.channels, tuple(dict.fromkeys((full, 1)))):
                step = lanes if width == full else 1
                acc = f.registers("int32", step, 1)
                acc[0] = splat(const(0), step)
                with f.loop(count, "block") as block:
                    at = row + start + block * width
                    for value in differences(f, k.x, at, k.x_zp, width, step):
                        v = f.let(value, "v")
                        acc[0] = acc[0] + maximum(v, splat(const(0), step) - v)
                sums = f.let(acc[0], "sums")
                for i in range(step):
                    total[0] = total[0] + (lane(sums, i) if step > 1 else sums)
            y = requantized(f, f.let(total[0], "total"), k.multiplier.load(0), k, wide=s.wide)
            k.y.store(pixel, y)
        return f.finish()
