"""Addition of two tensors on SIMD instruction sets, one register of bytes at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, Kernel, Shape
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class Add(Kernel):
    """Each vector is read before the one in its place is written, so either input may be overwritten."""

    kind: ClassVar[str] = "add"
    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return ISAS[isa].vector_bytes > 0 and kind == "add" and isinstance(shape, ElementShape)

    @property
    def name(self) -> str:
        """The tile is one register of bytes."""
        return f"s8_add_{ISAS[self.isa].vector_bytes}_{self.isa}"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Either input."""
        return (0, 1)

    def prim_func(self) -> Any:
        """Full registers, then narrower vectors for what is left."""
        from tinsmith_backends.cpu.kernels.elementwise_emit import differences, in_blocks, step_of
        from tinsmith_backends.cpu.kernels.emit import requantized_lanes, signature
        from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
        from tinsmith_backends.cpu.kernels.vector import const, splat

        f, k = signature(self)
        requantizer = Requantizer(f, self.isa, k, wide=False)

        def block(at: Any, lanes: int) -> None:
            step = step_of(lanes, self.isa)
            a = differences(f, k.a, at, k.a_zp, lanes, step)
            b = differences(f, k.b, at, k.b_zp, lanes, step)
            ma, mb = splat(k.a_multiplier, step), splat(k.b_multiplier, step)
            acc = [p * ma + q * mb for p, q in zip(a, b, strict=True)]
            if len(acc) > 1:
                y = requantizer.shifted(acc)
            else:
                y = requantized_lanes(f, acc[0], splat(const(1), lanes), k, lanes, wide=False)
            k.y.store(at, y, lanes)

        in_blocks(f, self.shape.pixels * self.shape.channels, self.isa, block)
        return f.finish()
