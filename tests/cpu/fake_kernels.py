"""Kernels for tests of the code generator: importable by its worker process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, Kernel


@dataclass(frozen=True)
class Copy(Kernel):
    """Copies bytes: what optimizers like to turn into a call of memcpy."""

    kind: ClassVar[str] = "maxpool"
    shape: ElementShape
    isa: Isa

    @property
    def name(self) -> str:
        return f"s8_copy_{self.isa}"

    def prim_func(self) -> Any:
        from tinsmith_backends.cpu.kernels.emit import signature

        f, k = signature(self)
        with f.loop(self.shape.pixels) as i:
            k.y.store(i, k.x.load(i))
        return f.finish()


@dataclass(frozen=True)
class DotProduct(Copy):
    """Uses an instruction that plain NEON lacks."""

    @property
    def name(self) -> str:
        return f"s8_dot_{self.isa}"

    def prim_func(self) -> Any:
        from tinsmith_backends.cpu.kernels.emit import signature
        from tinsmith_backends.cpu.kernels.vector import bits_as, llvm, splat

        f, k = signature(self)
        sums = llvm("int32x4", "llvm.aarch64.neon.sdot.v4i32.v16i8", splat(0, 4), k.x.load(0, 16), k.x.load(16, 16))
        k.y.store(0, bits_as("int8x16", sums), 16)
        return f.finish()
