"""Convolution by powers of two in plain loops, for the C target.

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
from tinsmith_backends.cpu.kernels.shift_codes import LANES, RUN, encode, pack_runs, run_bytes, runs
from tinsmith_backends.cpu.kernels.shift_panels import blocks_of_panel, folded_bias, pixels_of_section

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
        types = f"s8p{self.shape.bits}{'_b1' if self.shape.packed else ''}"
        return f"{types}_shiftconv_{PIXELS}x{CHANNELS}_scalar"

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
        return pixels_of_section(pixels, _MOST_WINDOW_BYTES // self.depth, min(PIXELS, pixels))

    @property
    def decoded(self) -> int:
        """Where the decoded weights start in scratch, behind the windows."""
        return self.section * self.depth

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
        """Out of the decoded panel, where weights of 4 bits stand as w - (w > 0) to fit a byte."""
        from tvm import tirx

        from tinsmith_backends.cpu.kernels.emit import widened

        place = tirx.truncmod(channel, self.panel) + n if self.panel > 1 else n
        value = f.let(widened(k.scratch.load(self.decoded + place * self.depth + d)), "w")
        return f.let(value + 1 + (value >> 31), "w") if self.shape.bits == 4 else value

    def prim_func(self) -> Any:
        """Plain loops, for TVM's C code generator."""
        from tvm import tirx

        from tinsmith_backends.cpu.kernels.emit import signature
        from tinsmith_backends.cpu.kernels.pack_bits import SignRows
        from tinsmith_backends.cpu.kernels.vector import minimum

        s, pixels, section = self.shape, self.shape.ho * self.shape.wo, self.section
        f, k = signature(self)
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

        self._decode(f, k, f.let(number * (self.panel_runs * run_bytes(self.shape.bits)), "source"))
        for first, tiles, pixels in blocks(self.section, (PIXELS, 1)):
            with f.loop(tiles, "tile") as tile:
                row = f.let(first + tile * pixels, "row")
                for at, count, width in blocks(self.panel, (CHANNELS, 1)):
                    with f.loop(count, "block") as block:
                        channel = f.let(number * self.panel + at + block * width, "channel")
                        self._multiply(f, k, start + row, channel, pixels, width, row, signs)

    def _decode(self, f: Any, k: Any, source: Any) -> None:
        """Runs of codes from byte `source` on, to bytes of scratch."""
        from tinsmith_backends.cpu.kernels.vector import cast

        bits = self.shape.bits
        with f.loop(self.panel_runs, "run") as run, f.loop(LANES, "lane") as lane:
            at = f.let(source + run * run_bytes(bits) + lane, "at")
            vectors = [f.let(cast("int32", cast("uint8", k.w.load(at + i * LANES))), "vector") for i in range(bits)]
            for part in range(RUN // LANES):
                value = self._value(f, f.let(_code(vectors, bits, part), "code"))
                k.scratch.store(self.decoded + run * RUN + part * LANES + lane, cast("int8", value))

    def _value(self, f: Any, code: Any) -> Any:
        """±2**S, less 1 where it is positive and has 4 bits."""
        from tinsmith_backends.cpu.kernels.vector import const

        bits = self.shape.bits
        negative = f.let(const(0) - (code >> (bits - 1)), "negative")
        less = (const(1) << (code & ((1 << (bits - 1)) - 1))) - 1
        flipped = f.let(less ^ negative, "flipped")
        return flipped if bits == 4 else flipped + 1 + negative


def _code(vectors: list[Any], bits: int, part: int) -> Any:
    """The code of a lane's part of a run."""
    width = 4 if bits == 4 else 2
    per_byte = 8 // width
    low = (vectors[part // per_byte] >> (width * (part % per_byte))) & ((1 << width) - 1)
    return low | (((vectors[2] >> part) & 1) << 2) if bits == 3 else low
