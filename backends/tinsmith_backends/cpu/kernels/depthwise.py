"""Depthwise convolution on SIMD instruction sets: one vector of channels by a few neighbouring pixels.

Away from the left and right border a tile of pixels shares each row's weights and each loaded column of the image.
At the borders one pixel at a time runs over the taps that lie inside. A tap that is skipped equals padding with the
zero point, because `x - x_zp` is what is multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Shape
from tinsmith_backends.cpu.kernels.depthwise_base import DepthwiseKernel
from tinsmith_backends.cpu.kernels.isa import ISAS

_MOST_TAPS = 7
"""Widest window whose columns are unrolled; beyond it the weights of a row no longer fit the registers."""


@dataclass(frozen=True)
class Depthwise(DepthwiseKernel):
    """`weight` becomes (kh, kw, channels); the bias stays."""

    kind: ClassVar[str] = "depthwise"
    shape: ConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """One input and one output channel a group."""
        vectors = ISAS[isa].vector_bytes > 0
        return (
            vectors and kind == "depthwise" and isinstance(shape, ConvShape) and shape.cin == shape.cout == shape.group
        )

    @property
    def channels(self) -> int:
        """Channels of one vector: four int32 registers, or fewer where the tensor has fewer."""
        full = ISAS[self.isa].vector_bytes
        return next(width for width in (full, 16, 8, 4, 2, 1) if width <= min(full, self.shape.cin))

    @property
    def pixels(self) -> int:
        """Pixels of one tile: as many as leave registers for weights and inputs."""
        return 4 if self.isa in ("neon", "neondot") else 2

    @property
    def name(self) -> str:
        """Weights are int8; the tile is pixels × channels."""
        return f"{self.types}_depthwise_{self.pixels}x{self.channels}_{self.isa}"

    def prim_func(self) -> Any:
        """Rows, then tiles of pixels, then vectors of channels."""
        from tinsmith_backends.cpu.kernels.depthwise_emit import DepthwiseEmitter

        return DepthwiseEmitter(self).function()

    @property
    def interior(self) -> tuple[int, int]:
        """The output columns first..last-1 whose windows lie inside the image, if they are worth a tile."""
        s = self.shape
        first = -(-s.left // s.stride_w)
        reach = s.w - 1 - (s.kw - 1) * s.dilation_w + s.left
        last = min(s.wo, reach // s.stride_w + 1)
        worth = last - first >= self.pixels and s.kw <= _MOST_TAPS
        return (first, last) if worth else (s.wo, s.wo)
