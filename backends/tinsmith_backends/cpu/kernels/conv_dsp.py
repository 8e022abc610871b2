"""Convolution, grouped convolution and matrix product on thumbv7em, two pixels by two channels at a time.

The windows of two output pixels are gathered into scratch as int16 pairs, zero point removed, in the order in which
SXTB16 unpacks a word of four weights: (0, 2), (1, 3). Then each pair of a weight and an input is one SMLAD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Packed, Shape, WeightedKernel
from tinsmith_backends.cpu.kernels.bits import sign_bytes

CHANNELS = 2
_MOST_UNROLLED = 160
"""Longest window of a channel count that is no multiple of four that is gathered element by element, unrolled."""


@dataclass(frozen=True)
class ConvDsp(WeightedKernel):
    """Weights four to a word; words of two channels alternate."""

    kind: ClassVar[str] = "conv"
    shape: ConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every convolution and matrix product."""
        return isa == "dsp" and kind in ("conv", "matmul", "depthwise") and isinstance(shape, ConvShape)

    @property
    def pixels(self) -> int:
        """Output pixels of one tile."""
        return 2 if self.shape.ho * self.shape.wo > 1 else 1

    @property
    def inputs(self) -> int:
        """Input channels of a group."""
        return self.shape.cin // self.shape.group

    @property
    def by_elements(self) -> bool:
        """Whether the window is padded to words as a whole, and not tap by tap."""
        window = self.shape.kh * self.shape.kw * self.inputs
        return self.inputs % 4 != 0 and window <= _MOST_UNROLLED

    @property
    def words(self) -> int:
        """Words of four weights in a window."""
        s = self.shape
        if self.by_elements:
            return -(-s.kh * s.kw * self.inputs // 4)
        return s.kh * s.kw * -(-self.inputs // 4)

    @property
    def name(self) -> str:
        """Weights are int8; the tile is pixels × channels."""
        return f"{'s8_b1' if self.shape.packed else 's8'}_conv_{self.pixels}x{CHANNELS}_dsp"

    @property
    def windows_at(self) -> int:
        """Where the gathered windows start in scratch, in words."""
        return 0

    @property
    def window_bytes(self) -> int:
        """The gathered windows, two bytes an element."""
        return 8 * self.words * self.pixels

    @property
    def scratch_bytes(self) -> int:
        """The gathered windows, and the signs of their pixels where the output is bits."""
        return self.window_bytes + (sign_bytes(self.pixels, self.shape.cout) if self.shape.packed else 0)

    @property
    def in_place(self) -> tuple[int, ...]:
        """A tile is gathered before it is written, so an output pixel that is no longer than its input may follow."""
        s = self.shape
        one_to_one = (s.kh, s.kw, s.stride_h, s.stride_w, s.group) == (1, 1, 1, 1, 1)
        same_place = (s.ho, s.wo, s.top, s.left) == (s.h, s.w, 0, 0) and not s.packed
        return (0,) if one_to_one and same_place and s.cout <= s.cin else ()

    def pack(
        self,
        weight: npt.NDArray[np.int8],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Blocks of two channels of a group: word 0 of both, word 1 of both, ... An odd last channel stands alone."""
        del x_zero_point
        cout = weight.shape[0]
        rows = weight.reshape(cout, -1) if self.by_elements else weight.reshape(cout, -1, self.inputs)
        padding = [(0, 0)] * (rows.ndim - 1) + [(0, -rows.shape[-1] % 4)]
        words = np.pad(rows, padding).reshape(self.shape.group, -1, self.words, 4)
        data = b"".join(
            np.ascontiguousarray(group[at : at + CHANNELS].transpose(1, 0, 2)).tobytes()
            for group in words
            for at in range(0, group.shape[0], CHANNELS)
        )
        return Packed(data, bias.astype("<i4").tobytes(), multiplier.astype("<i4").tobytes())

    def prim_func(self) -> Any:
        """Tiles of pixels; each is gathered, then multiplied with every channel."""
        from tinsmith_backends.cpu.kernels.conv_dsp_emit import ConvDspEmitter

        return ConvDspEmitter(self).function()
