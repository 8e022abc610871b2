"""Convolution by powers of two in the register tiles of the dense convolution: what the SIMD instruction sets share.

    for each section of pixels, for each group:
        gather the windows of the section into scratch, or point at the input where they lie there as they are
        for each panel of output channels:
            decode its weights into scratch
            for each tile of pixels of the section, for each block of channels: as in conv_tiled.py

A decoded weight serves all pixels of a section, so decoding costs little beside the products.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa, Packed, Shape, ShiftConvShape
from tinsmith_backends.cpu.kernels.bits import sign_bytes
from tinsmith_backends.cpu.kernels.conv_tiled import TiledConv
from tinsmith_backends.cpu.kernels.shift_codes import RUN, encode, pack_runs, runs
from tinsmith_backends.cpu.kernels.shift_panels import blocks_of_panel, pixels_of_section
from tinsmith_backends.zero_points import folded_bias

_MOST_WINDOW_BYTES = 1 << 17


@dataclass(frozen=True)
class ShiftTiled(TiledConv):
    """The template; a subclass joins it to one instruction set's multiplication.

    Packed weights: [group][panel] in runs (shift_codes.py), the codes in the order of the dense kernel's weights.
    """

    kind: ClassVar[str] = "shiftconv"
    bits: ClassVar[tuple[int, ...]] = (2, 3, 4)
    """Widths of codes that the template takes."""
    shape: ShiftConvShape

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every convolution and matrix product on its instruction sets with codes of its widths."""
        return isa in cls.isas and kind == "shiftconv" and isinstance(shape, ShiftConvShape) and shape.bits in cls.bits

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        types = f"s8p{self.shape.bits}{'_b1' if self.shape.packed else ''}"
        return f"{types}_shiftconv_{self.tile.rows}x{self.tile.columns}_{self.isa}"

    @property
    def planes(self) -> int:
        """Bytes, or pairs of bytes, whose sum is a decoded weight."""
        return 2 if self.shape.bits == 4 and self.element == "int8" else 1

    @property
    def panel(self) -> int:
        """Blocks that are decoded together."""
        return blocks_of_panel(self.blocks, self.tile.columns * self.padded_depth)

    @property
    def panel_runs(self) -> int:
        """Runs of codes of a panel."""
        return runs(self.panel * self.tile.columns * self.padded_depth)

    @property
    def section(self) -> int:
        """Output pixels that share decoded weights."""
        s = self.shape
        if self.direct and not s.packed:
            return s.ho * s.wo
        most = _MOST_WINDOW_BYTES // (self.padded_depth * np.dtype(self.element).itemsize)
        return pixels_of_section(s.ho * s.wo, most, self.tile.rows)

    @property
    def windows_elements(self) -> int:
        """Elements of scratch in front of the decoded weights."""
        return 0 if self.direct else self.section * self.padded_depth

    @property
    def sign_start(self) -> int:
        """Bytes of scratch in front of the signs: windows and decoded weights."""
        elements = self.windows_elements + self.planes * self.panel_runs * RUN
        return elements * np.dtype(self.element).itemsize

    @property
    def scratch_bytes(self) -> int:
        """The windows of a section, a panel's decoded weights, and the section's signs where the output is bits."""
        return self.sign_start + (sign_bytes(self.section, self.shape.cout) if self.shape.packed else 0)

    def pack(
        self,
        weight: npt.NDArray[np.signedinteger[Any]],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Codes of true weights, panel by panel; the bias takes up -x_zero_point * sum(weight)."""
        folded = folded_bias(weight, bias, x_zero_point).astype(np.int32)
        packed = super().pack(encode(weight, self.shape.bits), folded, multiplier, 0)
        codes = np.frombuffer(packed.weight, np.int8).reshape(self.shape.group * self.blocks // self.panel, -1)
        return Packed(pack_runs(codes, self.shape.bits), packed.bias, packed.multiplier)

    def weights(self, f: Any, k: Any, position: Any) -> tuple[Any, Any]:
        """The block among those of the decoded panel."""
        from tvm import tirx

        size = self.tile.columns * self.padded_depth
        block = tirx.truncmod(position, self.panel) if self.panel > 1 else 0
        return k.scratch, f.let(self.windows_elements + block * size, "w_at")

    def prim_func(self) -> Any:
        """Loops over sections, groups, panels, tiles and blocks around `multiply`."""
        from tinsmith_backends.cpu.kernels.shift_tiled_emit import ShiftTiledEmitter

        return ShiftTiledEmitter(self).function()
