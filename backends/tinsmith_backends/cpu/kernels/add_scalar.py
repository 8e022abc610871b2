"""Addition of two tensors in a plain loop, for the C target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, Kernel, Shape


@dataclass(frozen=True)
class AddScalar(Kernel):
    """Each element is read before the one at its place is written, so either input may be overwritten."""

    kind: ClassVar[str] = "add"
    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return isa == "scalar" and kind == "add" and isinstance(shape, ElementShape)

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        return "s8_add_1_scalar"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each element is read before the one in its place is written."""
        return (0, 1)

    def prim_func(self) -> Any:
        """Plain loops, for TVM's C code generator."""
        from tinsmith_backends.cpu.kernels.emit import requantized, signature, widened
        from tinsmith_backends.cpu.kernels.vector import const

        f, k = signature(self)
        with f.loop(self.shape.pixels * self.shape.channels) as i:
            a = (widened(k.a.load(i)) - k.a_zp) * k.a_multiplier
            b = (widened(k.b.load(i)) - k.b_zp) * k.b_multiplier
            k.y.store(i, requantized(f, f.let(a + b, "acc"), const(1), k, wide=False))
        return f.finish()
