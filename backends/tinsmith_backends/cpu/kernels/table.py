"""A table lookup for each byte, on every instruction set: sixteen at once on 64-bit ARM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementKernel

_UNROLL = 4
"""Elements a turn: a lookup is two loads and a store, and the loop around it would cost as much."""
_VECTOR = 16
_ARM64 = ("neon", "neondot")
"""Instruction sets that look up 64 bytes at once."""


@dataclass(frozen=True)
class Table(ElementKernel):
    """y = results[x + 128]: they begin with what becomes of -128."""

    kind: ClassVar[str] = "table"

    @property
    def name(self) -> str:
        """The tile is what one turn of the loop does."""
        return f"s8_table_{_VECTOR if self.isa in _ARM64 else _UNROLL}_{self.isa}"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each element is read before the one in its place is written."""
        return (0,)

    def prim_func(self) -> Any:
        """Full registers on arm64; then, and elsewhere, element by element, some a turn."""
        from tinsmith_backends.cpu.kernels.emit import blocks, signature, widened

        f, k = signature(self)
        elements, done = self.shape.pixels * self.shape.channels, 0
        if self.isa in _ARM64 and elements >= _VECTOR:
            done = elements // _VECTOR * _VECTOR
            self._vectors(f, k, done)
        for start, count, width in blocks(elements - done, (_UNROLL, 1)):
            with f.loop(count, "turn") as turn:
                first = f.let(done + start + turn * width, "first")
                for i in range(width):
                    index = f.let(widened(k.x.load(first + i)) + 128, "index")
                    k.y.store(first + i, k.results.load(index))
        return f.finish()

    def _vectors(self, f: Any, k: Any, elements: int) -> None:
        """All results in sixteen registers: each of four lookups knows a quarter, and leaves the other lanes alone."""
        from tinsmith_backends.cpu.kernels.vector import const, llvm, splat

        table = [f.let(k.results.load(i, _VECTOR), "results") for i in range(0, 256, _VECTOR)]
        with f.loop(elements // _VECTOR, "block") as block:
            place = f.let(block * _VECTOR, "place")
            index = f.let(k.x.load(place, _VECTOR) + splat(const(-128, "int8"), _VECTOR), "index")
            found = f.let(llvm("int8x16", "llvm.aarch64.neon.tbl4.v16i8", *table[:4], index), "found")
            for quarter in range(4, 16, 4):
                index = f.let(index - splat(const(64, "int8"), _VECTOR), "index")
                part = table[quarter : quarter + 4]
                found = f.let(llvm("int8x16", "llvm.aarch64.neon.tbx4.v16i8", found, *part, index), "found")
            k.y.store(place, found, _VECTOR)
