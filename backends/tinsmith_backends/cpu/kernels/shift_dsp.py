"""Convolution by powers of two on thumbv7em: as conv_dsp.py, but the pairs for SMLAD come from a table.

A table of every pair of weights, 16, 64 or 256 words, is made in scratch by each call. The codes of a channel are one
stream of bits, pair after pair, so a UBFX and an LDR give a pair: three pixels share it to pay for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa, Packed, Shape, ShiftConvShape
from tinsmith_backends.cpu.kernels.conv_dsp import CHANNELS, ConvDsp
from tinsmith_backends.cpu.kernels.shift_codes import encode

_PAIR_ORDER = (0, 2, 1, 3)
"""Weights of a word in the order in which pairs take them: conv_dsp.py."""


@dataclass(frozen=True)
class ShiftDsp(ConvDsp):
    """Weights: a stream of codes a channel in words; words of two channels alternate."""

    kind: ClassVar[str] = "shiftconv"
    shape: ShiftConvShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every convolution and matrix product."""
        return isa == "dsp" and kind == "shiftconv" and isinstance(shape, ShiftConvShape)

    @property
    def name(self) -> str:
        """See docs/add-a-kernel.md."""
        types = f"s8p{self.shape.bits}{'_b1' if self.shape.packed else ''}"
        return f"{types}_shiftconv_{self.pixels}x{CHANNELS}_dsp"

    @property
    def pixels(self) -> int:
        """Output pixels of one tile."""
        return min(3, self.shape.ho * self.shape.wo)

    @property
    def weight_words(self) -> int:
        """Words of codes of a channel."""
        return -(-self.words * 4 * self.shape.bits // 32)

    @property
    def table(self) -> int:
        """Where the table starts in scratch, in words: behind the windows."""
        return super().window_bytes // 4

    @property
    def window_bytes(self) -> int:
        """The gathered windows, two bytes an element, and the table."""
        return 4 * (self.table + (1 << (2 * self.shape.bits)))

    def pack(
        self,
        weight: npt.NDArray[np.signedinteger[Any]],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Codes of true weights; blocks of two channels of a group as in conv_dsp.py."""
        del x_zero_point
        cout, bits = weight.shape[0], self.shape.bits
        codes = encode(weight, bits).astype(np.uint8)
        rows = codes.reshape(cout, -1) if self.by_elements else codes.reshape(cout, -1, self.inputs)
        rows = np.pad(rows, [(0, 0)] * (rows.ndim - 1) + [(0, -rows.shape[-1] % 4)])
        ordered = rows.reshape(cout, -1, 4)[..., _PAIR_ORDER].reshape(cout, -1, 1)
        stream = np.unpackbits(ordered, axis=-1, count=bits, bitorder="little").reshape(cout, -1)
        stream = np.pad(stream, ((0, 0), (0, -stream.shape[1] % 32)))
        words = (
            np.packbits(stream, axis=-1, bitorder="little").view("<u4").reshape(self.shape.group, -1, self.weight_words)
        )
        data = b"".join(
            group[at : at + CHANNELS].T.tobytes() for group in words for at in range(0, group.shape[0], CHANNELS)
        )
        return Packed(data, bias.astype("<i4").tobytes(), multiplier.astype("<i4").tobytes())

    def prim_func(self) -> Any:
        """Tiles of pixels; each is gathered, then multiplied with every channel."""
        from tinsmith_backends.cpu.kernels.shift_dsp_emit import ShiftDspEmitter

        return ShiftDspEmitter(self).function()
