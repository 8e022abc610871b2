"""Maximum over windows of packed bits: -1 is the bit 1, so the maximum is AND, and the minimum is OR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import Isa, Kernel, PoolShape, Shape
from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.kernels.isa import ISAS


@dataclass(frozen=True)
class BinaryMaxPool(Kernel):
    """y = AND of (x ^ flip) over the taps inside the image, ^ flip: OR where flip is 1."""

    kind: ClassVar[str] = "binarymaxpool"
    shape: PoolShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every window."""
        return kind == cls.kind and isinstance(shape, PoolShape)

    @property
    def widths(self) -> tuple[int, ...]:
        """Words of one vector, from a full register down, of those that the tensor fills."""
        full = max(1, ISAS[self.isa].vector_bytes // 4)
        return tuple(n for n in (8, 4, 2, 1) if n <= min(full, words(self.shape.c)))

    @property
    def name(self) -> str:
        """The tile is one pixel × channels."""
        return f"b1_b1_binarymaxpool_1x{self.widths[0] * WORD}_{self.isa}"

    def prim_func(self) -> Any:
        """Output pixels, vectors of words, taps inside the image."""
        from tinsmith_backends.cpu.kernels.emit import blocks, signature, valid_taps

        s, total = self.shape, words(self.shape.c)
        f, k = signature(self)
        with f.loop(s.ho, "oh") as oh:
            top = f.let(oh * s.stride_h - s.top, "top")
            i0, rows = valid_taps(f, s.kh, top, s.dilation_h, s.h)
            with f.loop(s.wo, "ow") as ow:
                left = f.let(ow * s.stride_w - s.left, "left")
                j0, columns = valid_taps(f, s.kw, left, s.dilation_w, s.w)
                corner = f.let((top + i0 * s.dilation_h) * s.w + left + j0 * s.dilation_w, "corner")
                to = f.let((oh * s.wo + ow) * total, "to")
                for start, count, lanes in blocks(total, self.widths):
                    with f.loop(count, "block") as block:
                        word = f.let(start + block * lanes, "word")
                        self._words(f, k, corner, (rows, columns), (word, to + word, lanes))
        return f.finish()

    def _words(self, f: Any, k: Any, corner: Any, taps: tuple[Any, Any], block: tuple[Any, Any, int]) -> None:
        """`lanes` words of one output pixel, from its first word and its place in y on."""
        from tinsmith_backends.cpu.kernels.vector import const, splat

        s, (word, to, lanes) = self.shape, block
        flip = f.let(k.flip.load(word, lanes), "flip")
        acc = f.registers("uint32", lanes, 1)
        acc[0] = splat(const(0xFFFFFFFF, "uint32"), lanes)
        with f.loop(taps[0], "i") as i, f.loop(taps[1], "j") as j:
            pixel = corner + i * (s.dilation_h * s.w) + j * s.dilation_w
            acc[0] = acc[0] & (k.x.load(pixel * words(s.c) + word, lanes) ^ flip)
        k.y.store(to, acc[0] ^ flip, lanes)
