"""Where activations exceed the memory, regions of the work are cut in stripes: which ones, and in how many.

Every step that exceeds the memory must be in a region. Any operations that follow one another can be one; of those that
fit then, each in the fewest stripes with which it does, the region is taken that is fastest by the cycle model.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.fastest import fastest
from tinsmith_backends.soc.operations import Operation, Work, views
from tinsmith_backends.soc.placement import Placement, alive, check_size, place, unplaced
from tinsmith_backends.soc.slices import count
from tinsmith_backends.soc.stripes import striped


@dataclass(frozen=True)
class Cut:
    """Operations `first` to `last` go in stripes."""

    first: int
    last: int
    stripes: int

    def __contains__(self, step: int) -> bool:
        return self.first <= step <= self.last


@dataclass(frozen=True)
class Region:
    """What a cut does, for people.

    Attributes:
        first: layer.
        last: layer.
        stripes: how many.
        lines: rows of images, or pixels of signals, that the layers have.
        made: how many of them are made, those that two stripes need twice.
    """

    first: str
    last: str
    stripes: int
    lines: int
    made: int

    def __str__(self) -> str:
        """In words."""
        return f"{self.first} to {self.last} go in {self.stripes} stripes, {self.made} lines in place of {self.lines}"


@dataclass(frozen=True)
class Fitted:
    """Work that fits the activation memory, where it stands there, and what was cut for it."""

    work: Sequence[Work]
    placed: Placement
    regions: tuple[Region, ...]


def fit(work: Sequence[Work], inputs: Mapping[str, int], outputs: Mapping[str, int], chip: Chip) -> Fitted:
    """Cut as little as must be; the arguments of `placement.place`.

    Raises:
        TinsmithError: it does not fit, in stripes neither; with the layer and the number.
    """
    cutting, budget = _Cutting(work, inputs, outputs, chip), chip.act_bytes
    while True:
        cuts = cutting.cuts(budget)
        made = cutting.made(cuts)
        placed = place(made, inputs, outputs)
        excess = placed.arena.size - chip.act_bytes  # between what is alive stand gaps that nothing fits
        if excess <= 0 or placed.demand.bytes > budget:
            break
        budget -= excess
    check_size(placed, chip)
    return Fitted(made, placed, tuple(map(cutting.region, cuts)))


class _Cutting:
    """Work and what can be done with it."""

    def __init__(self, work: Sequence[Work], inputs: Mapping[str, int], outputs: Mapping[str, int], chip: Chip) -> None:
        self.work, self.inputs, self.outputs, self.chip = work, inputs, outputs, chip

    def cuts(self, budget: int) -> list[Cut]:
        """Cuts with which every step has at most `budget` bytes alive, or as few as there can be."""
        found: list[Cut] = []
        for step, size in enumerate(alive(self.work, self.inputs, self.outputs)):
            if size > budget and not any(step in cut for cut in found):
                best = self._best(step, found, budget)
                if best is not None:
                    found = [cut for cut in found if cut.first not in best] + [best]
        return found

    def made(self, cuts: Sequence[Cut]) -> list[Work]:
        """The work with cuts."""
        made: list[Work] = []
        at = 0
        for cut in sorted(cuts, key=lambda cut: cut.first):
            made += [*self.work[at : cut.first], *chain.from_iterable(self._stripes(cut))]
            at = cut.last + 1
        return [*made, *self.work[at:]]

    def region(self, cut: Cut) -> Region:
        """What a cut does."""
        whole, made = self.work[cut.first : cut.last + 1], chain.from_iterable(self._stripes(cut))
        return Region(whole[0].layer, whole[-1].layer, cut.stripes, sum(map(count, whole)), sum(map(count, made)))

    def _stripes(self, cut: Cut) -> Iterator[list[Operation]]:
        region = [each for each in self.work[cut.first : cut.last + 1] if isinstance(each, Operation)]
        others = (*self.work[: cut.first], *self.work[cut.last + 1 :])
        known = {view.buffer for each in others for view in views(each)} | {*self.inputs, *self.outputs}
        return striped(region, known | {region[-1].output.buffer}, cut.stripes)

    def _best(self, step: int, cuts: Sequence[Cut], budget: int) -> Cut | None:
        """The fastest cut through a step that fits, or else the smallest; it takes in other cuts, or none of them."""
        regions = sorted(self._regions(step, cuts), key=lambda region: region[1] - region[0])
        fitting: list[Cut] = []
        for first, last in regions:  # one around another is better only in fewer stripes
            inside = (cut.stripes for cut in fitting if first <= cut.first and cut.last <= last)
            fitting += self._fewest(first, last, min(inside, default=sys.maxsize), budget)
        if fitting:
            return min(fitting, key=lambda cut: self._clocks(cut, cuts))
        best, least = None, sys.maxsize
        for first, last in regions:
            cut = Cut(first, last, count(self.work[last]))
            size = self._size(cut, least)
            if size < least:
                best, least = cut, size
        return best

    def _regions(self, step: int, cuts: Sequence[Cut]) -> Iterator[tuple[int, int]]:
        """First and last of operations around a step."""
        firmware = [at for at, each in enumerate(self.work) if not isinstance(each, Operation)]
        begin = max((at for at in firmware if at <= step), default=-1) + 1
        end = min((at for at in firmware if at >= step), default=len(self.work))
        for first in range(begin, step + 1):
            for last in range(step, end):
                if not any((first - 1 in cut and first in cut) or (last in cut and last + 1 in cut) for cut in cuts):
                    yield first, last

    def _fewest(self, first: int, last: int, below: int, budget: int) -> list[Cut]:
        """A cut in the fewest stripes that fit, if any are fewer than `below`; more of them take less memory."""
        lines = count(self.work[last])
        counts = sorted({ceil(lines / height) for height in range(1, lines)})
        cuts = [Cut(first, last, stripes) for stripes in counts if stripes < below]
        return cuts[bisect_left(cuts, True, key=lambda cut: self._size(cut, budget) <= budget) :][:1]

    def _size(self, cut: Cut, budget: int) -> int:
        """The most bytes that are alive in a region; where they exceed the budget, at least so many."""
        stripes: list[list[Operation]] = []
        for stripe in self._stripes(cut):
            stripes.append(stripe)
            size = self._peak(cut, stripes[-2:])
            if size > budget:
                return size
        return self._peak(cut, stripes)

    def _peak(self, cut: Cut, stripes: Sequence[Sequence[Operation]]) -> int:
        """The most bytes that are alive in some stripes, if the region has no others."""
        made = list(chain.from_iterable(stripes))
        there = alive([*self.work[: cut.first], *made, *self.work[cut.last + 1 :]], self.inputs, self.outputs)
        return max(there[cut.first : cut.first + len(made)])

    def _clocks(self, cut: Cut, cuts: Sequence[Cut]) -> tuple[int, int]:
        """Of the whole work with this one too; what is too long for the descriptor memory is slowest."""
        made = self.made([*(each for each in cuts if each.first not in cut), cut])
        timed = fastest(made, unplaced(made), self.chip)
        return max(timed.schedule.words, self.chip.desc_words), timed.timing.clocks
