"""Requantizations with fewer adders that give the same bits: multipliers that are constants cost one adder a digit.

Over the accumulators that a channel can have, y = clamp((acc * M + 2**(s-1)) >> s, lo, hi) is a staircase of at most
256 steps, or 65,536 where y has 16 bits. Any other multiplier, constant and shift with the same steps will do; the
shortest that is found has about as many bits as it takes to tell neighbouring accumulators apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import Requantization

TRIED = 4
"""How many shifts from the least one that works are looked at for a multiplier of fewer digits."""
Steps = npt.NDArray[np.int64]


def requant_offset(requant: Requantization) -> int:
    """What is added before the shift: half a step, and the zero point."""
    return (2 * requant.zero_point + 1) << (requant.shift - 1)


@dataclass(frozen=True)
class Affine:
    """y = clamp((acc * factor + offset) >> shift, lo, hi); a factor of 0 makes a constant."""

    factor: int
    offset: int
    shift: int
    lo: int
    hi: int

    def raised(self, by: int) -> Affine:
        """The form whose results are greater by as much."""
        return Affine(self.factor, self.offset + (by << self.shift), self.shift, self.lo + by, self.hi + by)

    def __call__(self, acc: int) -> int:
        """Apply it to one accumulator."""
        return min(max((acc * self.factor + self.offset) >> self.shift, self.lo), self.hi)


def as_given(requant: Requantization, channel: int) -> Affine:
    """The requantization of a channel as the exact graph says it."""
    factor = int(requant.multiplier[channel % len(requant.multiplier)])
    return Affine(factor, requant_offset(requant), requant.shift, requant.lo, requant.hi)


def cheapest(given: Affine, lo: int, hi: int) -> Affine:
    """The form of fewest adders that equals `given` for every accumulator in [lo, hi]."""
    zero_point = given.offset >> given.shift
    return _cheapest(given.raised(-zero_point), lo, hi).raised(zero_point)


def _cheapest(given: Affine, lo: int, hi: int) -> Affine:
    """Of a form without zero point, whose products fit int64: docs/numbers.md."""
    first, last = given(lo), given(hi)
    if first == last:
        return Affine(0, first, 0, first, first)
    steps = np.arange(first + 1, last + 1)
    # The least accumulator that reaches each step.
    reached = -((given.offset - (steps << given.shift)) // given.factor)
    found: list[Affine] = []
    for shift in range(given.shift + 1):
        found += _with_shift(given, shift, steps, reached, lo, hi)
        if found and shift >= found[0].shift + TRIED:
            break
    return min(found, key=lambda form: (digits(form.factor), form.factor.bit_length(), form.shift), default=given)


def _with_shift(given: Affine, shift: int, steps: Steps, reached: Steps, lo: int, hi: int) -> Iterator[Affine]:
    """Forms with this shift: of multipliers near the given ratio, those for which an offset exists."""
    near = given.factor >> (given.shift - shift)
    for factor in range(max(near - 1, 1), near + 3):
        offsets = (steps << shift) - reached * factor  # the least with which each step is reached
        least, most = int(offsets.max()), int(offsets.min()) + factor - 1
        # Below the first step and above the last one the clamp helps only where it is the type's.
        if (first := int(steps[0])) - 1 > given.lo:
            least = max(least, ((first - 1) << shift) - lo * factor)
        if (last := int(steps[-1])) < given.hi:
            most = min(most, ((last + 1) << shift) - hi * factor - 1)
        if least <= most:
            yield Affine(factor, _roundest(least, most), shift, given.lo, given.hi)


def _roundest(least: int, most: int) -> int:
    """The number in [least, most] with the most zeros at its end."""
    for bits in range(most.bit_length() + 1, 0, -1):
        rounded = -(-least >> bits) << bits
        if rounded <= most:
            return rounded
    return least


def digits(number: int) -> int:
    """Non-zero digits of a number in canonical signed digit form: one adder less than this multiplies by it."""
    return (number ^ (3 * number)).bit_count()
