"""The rule by which a convolution gets its register tile: the fewest instructions, as counted below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_BLOCK_OVERHEAD = 14
"""Instructions around one block: addresses, bias, multipliers, loop."""
_STORE = 7
"""Instructions that requantize and store one vector of accumulators."""
_TILE_OVERHEAD = 40
"""Instructions around one tile of pixels, per pixel: its address and the copy of its window."""


@dataclass(frozen=True)
class Tile:
    """A register tile: `rows` pixels by `columns` channels.

    Attributes:
        step: instructions of one step of the multiplication (`depth` products a pixel and channel), loop included.
        vectors: int32 vectors of accumulators that it ends with.
    """

    rows: int
    columns: int
    step: float
    vectors: int


def instructions(tile: Tile, pixels: int, channels: int, steps: int) -> float:
    """Instructions of a whole convolution of one group, as far as they differ between tiles."""
    block = steps * tile.step + _STORE * tile.vectors + _BLOCK_OVERHEAD
    blocks = -(-channels // tile.columns)
    return -(-pixels // tile.rows) * (blocks * block + tile.rows * _TILE_OVERHEAD)


def cheapest_tile(tiles: Sequence[Tile], pixels: int, channels: int, steps: int) -> Tile:
    """The tile with the fewest instructions, among those with no more rows than there are pixels.

    The first of equals wins, so list tiles in order of preference.
    """
    fitting = [tile for tile in tiles if tile.rows <= pixels]
    return min(fitting, key=lambda tile: instructions(tile, pixels, channels, steps))
