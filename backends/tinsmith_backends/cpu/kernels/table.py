"""A table lookup for each byte, on every instruction set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, Kernel, Shape

_UNROLL = 4
"""Elements a turn: a lookup is two loads and a store, and the loop around it would cost as much."""


@dataclass(frozen=True)
class Table(Kernel):
    """y = results[x + 128]: they begin with what becomes of -128."""

    kind: ClassVar[str] = "table"
    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return kind == cls.kind and isinstance(shape, ElementShape)

    @property
    def name(self) -> str:
        """The tile is what one turn of the loop does."""
        return f"s8_table_{_UNROLL}_{self.isa}"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each element is read before the one in its place is written."""
        return (0,)

    def prim_func(self) -> Any:
        """Element by element, some a turn."""
        from tinsmith_backends.cpu.kernels.emit import blocks, signature, widened

        f, k = signature(self)
        for start, count, width in blocks(self.shape.pixels * self.shape.channels, (_UNROLL, 1)):
            with f.loop(count, "turn") as turn:
                first = f.let(start + turn * width, "first")
                for i in range(width):
                    index = f.let(widened(k.x.load(first + i)) + 128, "index")
                    k.y.store(first + i, k.results.load(index))
        return f.finish()
