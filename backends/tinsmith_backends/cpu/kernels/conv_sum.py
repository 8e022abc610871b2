"""Convolution and matrix product whose sums are the result, all 32 bits of them, on every instruction set.

Such layers end a network and have few outputs, so the plain loops of conv_scalar.py serve all targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Shape
from tinsmith_backends.cpu.kernels.conv_scalar import CHANNELS, PIXELS, ConvScalar


@dataclass(frozen=True)
class ConvSum(ConvScalar):
    """As ConvScalar, without multipliers, a clamp or bits; y is int32."""

    kind: ClassVar[str] = "convsum"

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every layer that puts out its accumulators."""
        return kind == "convsum" and isinstance(shape, ConvShape)

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        return f"s{self.x_bits}_s32_conv_{PIXELS}x{CHANNELS}_{self.isa}"

    def _store(self, f: Any, k: Any, pixel: Any, channel: Any, total: Any) -> None:
        k.y.store(pixel * self.shape.cout + channel, total)
