"""Convolution by powers of two on thumbv7em: as conv_dsp.py, but the pairs for SMLAD come from a table.

A table of every pair of weights, 16, 64 or 256 words, is made in scratch by each call. The codes of a channel are one
stream of bits, pair after pair, so a UBFX and an LDR give a pair. Where there are pixels enough, the pairs of two
channels are stored and serve all pixels of a section; one to three pixels take them as they come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa, Packed, Shape, ShiftConvShape
from tinsmith_backends.cpu.kernels.conv_dsp import CHANNELS, ConvDsp
from tinsmith_backends.cpu.kernels.shift_codes import encode
from tinsmith_backends.cpu.kernels.shift_panels import pixels_of_section

_PAIR_ORDER = (0, 2, 1, 3)
"""Weights of a word in the order in which pairs take them: conv_dsp.py."""
_MOST_WINDOW_BYTES = 9 << 10
_TILE = 3
"""Output pixels whose sums are in registers."""
_FEW = 3
"""Pixels for which pairs are not stored."""


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
        return f"{types}_shiftconv_{self.tile}x{CHANNELS}_dsp"

    @property
    def stored(self) -> bool:
        """Whether decoded pairs are stored."""
        return self.shape.ho * self.shape.wo > _FEW

    @property
    def tile(self) -> int:
        """Output pixels whose sums are in registers."""
        return _TILE if self.stored else self.pixels

    @property
    def pixels(self) -> int:
        """Output pixels of a section."""
        total = self.shape.ho * self.shape.wo
        if not self.stored:
            return total
        section = pixels_of_section(total, _MOST_WINDOW_BYTES // (8 * self.words), _TILE)
        return -(-section // _TILE) * _TILE

    @property
    def weight_words(self) -> int:
        """Words of codes of a channel."""
        return -(-self.words * 4 * self.shape.bits // 32)

    @property
    def windows_at(self) -> int:
        """The table comes first: its address is that of scratch, which saves an addition a pair."""
        return 1 << (2 * self.shape.bits)

    @property
    def stored_at(self) -> int:
        """Where decoded pairs start in scratch, in words: behind the windows."""
        return self.windows_at + super().window_bytes // 4

    @property
    def window_bytes(self) -> int:
        """The table, the gathered windows, two bytes an element, and the decoded pairs."""
        return 4 * (self.stored_at + (2 * self.words * CHANNELS if self.stored else 0))

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
