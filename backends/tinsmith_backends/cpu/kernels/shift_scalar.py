"""Convolution by powers of two in plain loops, for the C target, and for rare types on all.

As conv_scalar.py, but the windows of a section of pixels are gathered at once, and then the weights of a panel of
channels are decoded for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa, Packed, Shape, ShiftConvShape
from tinsmith_backends.cpu.kernels.bits import sign_bytes
from tinsmith_backends.cpu.kernels.conv_scalar import CHANNELS, PIXELS, ConvScalar
from tinsmith_backends.cpu.kernels.shift_codes import RUN, encode, pack_runs, run_bytes, runs
from tinsmith_backends.cpu.kernels.shift_panels import blocks_of_panel, pixels_of_section
from tinsmith_backends.zero_points import folded_bias

_MOST_WINDOW_BYTES = 1 << 14


@dataclass(frozen=True)
class ShiftScalar(ConvScalar):
    """Packed weights: [group][panel] in runs (shift_codes.py) of (channel, kh, kw, Cin / group)."""

    kind: ClassVar[str] = "shiftconv"
    shape: ShiftConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every convolution and matrix product on the scalar target."""
        return isa == "scalar" and kind == "shiftconv" and isinstance(shape, ShiftConvShape)

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        x, *y = self.types.split("_")
        return f"{'_'.join([f'{x}p{self.shape.bits}', *y])}_shiftconv_{PIXELS}x{CHANNELS}_{self.isa}"

    @property
    def outputs(self) -> int:
        """Output channels of one group."""
        return self.shape.cout // self.shape.group

    @property
    def panel(self) -> int:
        """Channels that are decoded together."""
        return blocks_of_panel(self.outputs, self.depth, CHANNELS)

    @property
    def panel_runs(self) -> int:
        """Runs of codes of a panel."""
        return runs(self.panel * self.depth)

    @property
    def section(self) -> int:
        """Output pixels that share decoded weights."""
        pixels = self.shape.ho * self.shape.wo
        return pixels_of_section(pixels, _MOST_WINDOW_BYTES * 8 // (self.depth * self.x_bits), min(PIXELS, pixels))

    @property
    def decoded(self) -> int:
        """Where the decoded weights start in scratch, behind the windows."""
        return self.section * self.depth * self.x_bits // 8

    @property
    def sign_start(self) -> int:
        """Where the signs start in scratch."""
        return self.decoded + self.panel_runs * RUN

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
        codes = encode(weight, self.shape.bits).reshape(self.shape.cout // self.panel, -1)
        folded = folded_bias(weight, bias, x_zero_point).astype("<i4")
        return Packed(pack_runs(codes, self.shape.bits), folded.tobytes(), multiplier.astype("<i4").tobytes())

    def weight(self, f: Any, k: Any, channel: Any, n: int, d: Any) -> Any:
        """Out of the decoded panel."""
        from tvm import tirx

        from tinsmith_backends.cpu.kernels.shift_decode_plain import decoded

        place = tirx.truncmod(channel, self.panel) + n if self.panel > 1 else n
        return decoded(f, k, self.shape.bits, self.decoded + place * self.depth + d)

    def prim_func(self) -> Any:
        """Plain loops, for any code generator."""
        from tvm import tirx

        from tinsmith_backends.cpu.kernels.pack_bits import SignRows
        from tinsmith_backends.cpu.kernels.vector import minimum

        s, pixels, section = self.shape, self.shape.ho * self.shape.wo, self.section
        f, k = self._begin()
        signs = SignRows(f, self.isa, k.scratch, self.sign_start, section, s.cout) if s.packed else None
        with f.loop(-(-pixels // section), "section") as number:
            start = f.let(minimum(number * section, pixels - section), "start")
            with f.loop(s.group, "group") as group:
                with f.loop(section, "row") as row:
                    pixel = f.let(start + row, "pixel")
                    oh = f.let(tirx.truncdiv(pixel, s.wo), "oh")
                    self._gather(f, k, group, oh, f.let(pixel - oh * s.wo, "ow"), f.let(row * self.depth, "to"))
                with f.loop(self.outputs // self.panel, "panel") as panel:
                    self._panel(f, k, start, f.let(group * (self.outputs // self.panel) + panel, "number"), signs)
            if signs:
                signs.pack(k.y, start)
        return f.finish()

    def _panel(self, f: Any, k: Any, start: Any, number: Any, signs: Any) -> None:
        """Decode panel `number` of all, and multiply the section by it."""
        from tinsmith_backends.cpu.kernels.emit import blocks
        from tinsmith_backends.cpu.kernels.shift_decode_plain import decode_plain

        source = f.let(number * (self.panel_runs * run_bytes(self.shape.bits)), "source")
        decode_plain(f, k, self.shape.bits, source, self.decoded, self.panel_runs)
        for first, tiles, pixels in blocks(self.section, (PIXELS, 1)):
            with f.loop(tiles, "tile") as tile:
                row = f.let(first + tile * pixels, "row")
                for at, count, width in blocks(self.panel, (CHANNELS, 1)):
                    with f.loop(count, "block") as block:
                        channel = f.let(number * self.panel + at + block * width, "channel")
                        self._multiply(f, k, start + row, channel, pixels, width, row, signs)
