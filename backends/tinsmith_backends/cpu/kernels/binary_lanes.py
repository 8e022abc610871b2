"""How each instruction set counts the bits of a binary convolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.conv_tiles import Tile


@dataclass(frozen=True)
class Lanes:
    """The choices of one instruction set.

    Attributes:
        words: 32-bit words of a vector of bits.
        levels: carry-save adders above the first (binary_chain.py): more where counting bits is dear.
        group: channels whose counts are added into one vector at once.
        body: steps of the chain written out in one turn of the loop; a multiple of 2**(levels + 1).
        tiles: register tiles, as in conv_tiles.py; a step is one of the chain, of two vectors.
        ordered: whether outputs are counted in the order in which they are written. Left to itself, LLVM's scheduler
            mixes them until registers run out.
    """

    words: int
    levels: int
    group: int
    body: int
    tiles: tuple[Tile, ...]
    ordered: bool = False

    @property
    def room(self) -> int:
        """Carries that a byte has room for, as an even number: half of them are subtracted. Scalars are not bytes."""
        return 2 * (127 // (8 * self.group)) if self.words > 1 else 1 << 20


def _tiles(step: float, *sizes: tuple[int, int]) -> tuple[Tile, ...]:
    """`step`: instructions of one output and step beside loads."""
    return tuple(Tile(m, n, m * n * step + 2 * (m + n), m * n) for m, n in sizes)


_SCALAR = Lanes(words=1, levels=3, group=1, body=16, tiles=_tiles(7, (1, 1)))
_NEON = Lanes(words=4, levels=0, group=4, body=6, tiles=_tiles(5, (3, 4), (2, 4), (1, 8), (1, 4)), ordered=True)

LANES: Mapping[Isa, Lanes] = MappingProxyType(
    {
        "scalar": _SCALAR,
        "dsp": _SCALAR,
        "avx2": Lanes(words=8, levels=0, group=1, body=2, tiles=_tiles(13, (2, 4), (1, 4))),
        "neon": _NEON,
        "neondot": _NEON,
        "neon32": Lanes(words=4, levels=0, group=1, body=6, tiles=_tiles(5, (1, 4)), ordered=True),
        "simd128": Lanes(words=4, levels=0, group=1, body=2, tiles=_tiles(15, (1, 4))),
    }
)
"""By instruction set."""
