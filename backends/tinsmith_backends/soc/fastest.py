"""Weights are loaded in parts: of several sizes of parts, the one with which the cycle model is fastest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.cycles import Timing, timing
from tinsmith_backends.soc.memory_map import TABLES
from tinsmith_backends.soc.operations import Operation, Work
from tinsmith_backends.soc.placement import Placement
from tinsmith_backends.soc.schedule import Schedule, schedule


@dataclass(frozen=True)
class Timed:
    """A schedule and its clocks."""

    schedule: Schedule
    timing: Timing


def fastest(work: Sequence[Work], placed: Placement, chip: Chip) -> Timed:
    """The fastest schedule whose descriptors the chip holds, or else the one with the fewest.

    Raises:
        TinsmithError: a layer exceeds the weight memory.
    """
    made = [schedule(work, placed, chip, chunk) for chunk in _chunks(work, chip)]
    timed = [Timed(each, timing(each, chip)) for each in made]
    return min(timed, key=lambda each: (max(each.schedule.words, chip.desc_words), each.timing.clocks))


def _chunks(work: Sequence[Work], chip: Chip) -> list[int | None]:
    """Sizes of parts to try, in weight words; None loads everything once at boot, which is best where it fits."""
    operations = {id(each.weights): each for each in work if isinstance(each, Operation)}.values()
    words = sum(each.weights.shape[0] * each.words for each in operations)
    numbers = sum(len(each.parameters) for each in operations)
    tables = len({each.table.tobytes() for each in operations if each.table.size})
    if words <= chip.wgt_words and numbers <= chip.par_words and tables <= TABLES:
        return [None]
    return [max(1, chip.wgt_words // part) for part in (2, 4, 8, 16, 32)]
