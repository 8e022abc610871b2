"""8 bit → 1 bit on every instruction set: compares with a limit for each channel and packs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ElementKernel
from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class Binarize(ElementKernel):
    """bit = (x < limit[c]) ^ flip[c]."""

    kind: ClassVar[str] = "binarize"

    @property
    def name(self) -> str:
        """The tile is one word of bits."""
        return f"s8_b1_binarize_{WORD}_{self.isa}"

    def prim_func(self) -> Any:
        """Pixels, words of channels."""
        from tinsmith_backends.cpu.kernels.elementwise_emit import in_words
        from tinsmith_backends.cpu.kernels.emit import signature
        from tinsmith_backends.cpu.kernels.vector import const, llvm, select, vector_type

        s = self.shape
        f, k = signature(self)
        with f.loop(s.pixels, "pixel") as pixel:
            row = f.let(pixel * s.channels, "row")
            to = f.let(pixel * words(s.channels), "to")

            def less(channel: Any, lanes: int) -> Any:
                x, limit = k.x.load(row + channel, lanes), k.limit.load(channel, lanes)
                if not ISAS[self.isa].vector_bytes:
                    return select(x < limit, const(-1, "int8"), const(0, "int8"))
                kind = f"v{lanes}i8" if lanes > 1 else "i8"
                return llvm(vector_type("int8", lanes), f"llvm.ssub.sat.{kind}", x, limit)

            in_words(f, self.isa, s.channels, less, lambda n, word: k.y.store(to + n, word ^ k.flip.load(n)))
        return f.finish()
