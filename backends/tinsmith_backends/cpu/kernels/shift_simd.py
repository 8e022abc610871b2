"""Convolution by powers of two on each SIMD instruction set: the loops of shift_tiled.py around a multiplication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinsmith_backends.cpu.kernels.conv_neondot import ConvNeonDot
from tinsmith_backends.cpu.kernels.conv_pairs import ConvAvx2, ConvSimd128
from tinsmith_backends.cpu.kernels.shift_codes import RUN
from tinsmith_backends.cpu.kernels.shift_tiled import ShiftTiled


@dataclass(frozen=True)
class ShiftAvx2(ShiftTiled, ConvAvx2):
    """Weights are decoded to int16, which holds ±128 too."""


@dataclass(frozen=True)
class ShiftSimd128(ShiftTiled, ConvSimd128):
    """Weights are decoded to int16, which holds ±128 too."""


@dataclass(frozen=True)
class ShiftNeonDot(ShiftTiled, ConvNeonDot):
    """Weights are decoded to int8. Of 4 bits, +128 is 127 in one plane and 1 in another: twice the products."""

    def _step(self, f: Any, acc: Any, lane: Sequence[Any], w: Any, w_at: Any, vectors: int) -> None:
        for plane in range(self.planes):
            super()._step(f, acc, lane, w, w_at + plane * self.panel_runs * RUN, vectors)
