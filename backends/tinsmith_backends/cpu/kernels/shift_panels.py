"""How convolutions by powers of two are cut, and what their packing shares."""

from __future__ import annotations

from tinsmith_backends.cpu.kernels.shift_codes import RUN, runs

_MOST_PIXELS = 100
"""Decoding costs about as much as five pixels' products, so this many leave little of it."""
_FILLING = 0.02
"""Share of a panel's codes that may be filling."""


def blocks_of_panel(blocks: int, weights: int, least: int = 1) -> int:
    """Blocks of `weights` weights that are decoded together: the fewest whose runs are nearly full, a divisor."""
    divisors = [n for n in range(least, blocks + 1) if blocks % n == 0]
    return next((n for n in divisors if runs(n * weights) * RUN <= (1 + _FILLING) * n * weights), blocks)


def pixels_of_section(pixels: int, most: int, rows: int) -> int:
    """Output pixels that share decoded weights, at most `most` but at least a tile: whole tiles in equal sections."""
    most = max(rows, min(most, _MOST_PIXELS))
    sections = -(-pixels // most)
    return min(pixels, -(-pixels // (sections * rows)) * rows)
