"""Convolutions and matrix products that read or make 16 bits, on every instruction set: the plain loops of 8 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinsmith_backends.cpu.kernels.base import Conv16Shape, Isa, Shape, ShiftConv16Shape
from tinsmith_backends.cpu.kernels.conv_scalar import ConvScalar
from tinsmith_backends.cpu.kernels.shift_scalar import ShiftScalar


@dataclass(frozen=True)
class Conv16(ConvScalar):
    """By weights of 8 bits."""

    kind: ClassVar[str] = "conv16"
    shape: Conv16Shape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every one of them."""
        return kind == cls.kind and isinstance(shape, Conv16Shape)


@dataclass(frozen=True)
class ShiftConv16(ShiftScalar):
    """By powers of two."""

    kind: ClassVar[str] = "shiftconv16"
    shape: ShiftConv16Shape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every one of them."""
        return kind == cls.kind and isinstance(shape, ShiftConv16Shape)
