"""How many rows a window former keeps, so that rows arriving evenly never meet a full ring."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Rows:
    """Rows of a window: `height` come in, `outputs` go out; those under output row o begin at o * stride - top."""

    height: int
    outputs: int
    span: int
    stride: int
    top: int

    def first(self, output: int) -> int:
        """The first row under an output row's windows, or that a later one needs."""
        return min(max(output * self.stride - self.top, 0), self.height)

    def last(self, output: int) -> int:
        """The last row under them."""
        return min(max(output * self.stride - self.top + self.span - 1, 0), self.height - 1)


def ring_rows(rows: Rows) -> int:
    """Rows to keep: in units of the interval, row r arrives at (r + 1) / height, and an output row takes 1 / outputs.

    An output row begins when its last row is there and the one before it is done. A row is held from the moment at
    which it begins to arrive until the last output row that reads it is done.
    """
    turn = Fraction(1, rows.outputs)
    ends: list[Fraction] = []
    for output in range(rows.outputs):
        arrived = Fraction(rows.last(output) + 1, rows.height)
        ends.append(max(arrived, ends[-1] if ends else arrived) + turn)
    held = []
    for row in range(rows.height):
        readers = [o for o in range(rows.outputs) if rows.first(o) <= row]
        freed = ends[readers[-1]] if readers else Fraction(row + 1, rows.height)
        held.append((Fraction(row, rows.height), max(freed, Fraction(row + 1, rows.height))))
    overlapping = [(start + frame, end + frame) for frame in range(4) for start, end in held]
    return max(sum(start <= moment < end for start, end in overlapping) for moment, _ in overlapping)
