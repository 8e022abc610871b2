"""How far a layer is folded: the fewest multipliers that keep an interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinsmith.errors import Problems


@dataclass(frozen=True)
class Folding:
    """`pe` outputs by `simd` inputs a clock."""

    pe: int
    simd: int

    @property
    def multipliers(self) -> int:
        """Multipliers, or what stands for them."""
        return self.pe * self.simd


@dataclass(frozen=True)
class Work:
    """What an engine does in one inference.

    Attributes:
        pixels: output positions.
        taps: positions under a window.
        inputs: channels in; lanes of the engine divide it.
        outputs: channels out; for a depthwise engine 1, since its lanes are its outputs.
    """

    pixels: int
    taps: int
    inputs: int
    outputs: int

    def cycles(self, folding: Folding) -> int:
        """Clocks an inference."""
        return self.pixels * self.taps * (self.inputs // folding.simd) * (self.outputs // folding.pe)

    def foldings(self) -> Iterator[Folding]:
        """Every folding, none of which leaves a lane idle."""
        for pe in divisors(self.outputs):
            for simd in divisors(self.inputs):
                yield Folding(pe, simd)


def divisors(n: int) -> list[int]:
    """All of them, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]


def choose_folding(work: Work, interval: int, problems: Problems, where: str) -> Folding:
    """The folding of fewest multipliers within `interval` clocks; among equals, the one of more inputs a clock.

    An interval that even the widest folding misses is added to `problems`.
    """
    fitting = [folding for folding in work.foldings() if work.cycles(folding) <= interval]
    if fitting:
        return min(fitting, key=lambda folding: (folding.multipliers, folding.pe))
    widest = Folding(work.outputs, work.inputs)
    problems.add(
        f"an interval of {interval} clocks cannot be met",
        where=where,
        why=f"with every channel in parallel it takes one clock for each of {work.pixels} x {work.taps} window pixels",
        fix=f"--interval {work.cycles(widest)} or more",
    )
    return widest
