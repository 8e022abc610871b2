"""Products of two tensors on every instruction set, to bytes or to bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import Isa, Kernel, MultiplyShape, Shape
from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class Multiply(Kernel):
    """acc = (a - a_zp) * (b - b_zp) + bias[c]."""

    kind: ClassVar[str] = "multiply"
    shape: MultiplyShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return kind == cls.kind and isinstance(shape, MultiplyShape)

    @property
    def name(self) -> str:
        """The tile is one register of bytes, or a word of bits."""
        if self.shape.packed:
            return f"s8_b1_multiply_{WORD}_{self.isa}"
        return f"s8_multiply_{max(1, ISAS[self.isa].vector_bytes)}_{self.isa}"

    @property
    def in_place(self) -> tuple[int, ...]:
        """Each vector of a is read before the one in its place is written."""
        return () if self.shape.packed else (0,)

    def prim_func(self) -> Any:
        """Pixels, then full registers of channels and narrower ones for what is left."""
        from tinsmith_backends.cpu.kernels.elementwise_emit import Ending, in_blocks, in_words, step_of
        from tinsmith_backends.cpu.kernels.emit import signature

        s = self.shape
        f, k = signature(self)
        ending = Ending(f, self.isa, k, wide=s.wide)
        with f.loop(s.pixels, "pixel") as pixel:
            row = f.let(pixel * s.channels, "row")
            shared = s.b_values <= s.pixels
            factor = f.let(k.b.load(pixel if s.b_values == s.pixels else 0), "factor") if shared else None

            def signs(channel: Any, lanes: int) -> Any:
                return ending.signs(self._products(f, k, (row, channel, lanes), factor))

            def store(channel: Any, lanes: int) -> None:
                acc, step = self._products(f, k, (row, channel, lanes), factor), step_of(lanes, self.isa)
                multiplier = [k.multiplier.load(channel + i, step) for i in range(0, lanes, step)]
                k.y.store(row + channel, ending.requantized(acc, multiplier), lanes)

            if s.packed:
                to = f.let(pixel * words(s.channels), "to")
                in_words(f, self.isa, s.channels, signs, lambda n, word: k.y.store(to + n, word))
            else:
                in_blocks(f, s.channels, self.isa, store)
        return f.finish()

    def _products(self, f: Any, k: Any, place: tuple[Any, Any, int], factor: Any) -> list[Any]:
        """Accumulators of `lanes` channels of one row, as int32 vectors."""
        from tinsmith_backends.cpu.kernels.elementwise_emit import differences, step_of
        from tinsmith_backends.cpu.kernels.vector import cast, splat

        row, channel, lanes = place
        step = step_of(lanes, self.isa)
        a = differences(f, k.a, row + channel, k.a_zp, lanes, step)
        if factor is None:
            b = differences(f, k.b, row + channel, k.b_zp, lanes, step)
        else:
            b = [splat(f.let(cast("int32", factor) - k.b_zp, "b"), step)] * len(a)
        bias = [k.bias.load(channel + i, step) for i in range(0, lanes, step)]
        return [f.let(p * q + r, "acc") for p, q, r in zip(a, b, bias, strict=True)]
