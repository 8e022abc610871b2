"""How many clocks a program takes: every descriptor, without running it."""

from __future__ import annotations

from dataclasses import dataclass

from tinsmith_backends.soc.chip import XNOR, Chip
from tinsmith_backends.soc.memory_map import ENDING
from tinsmith_backends.soc.schedule import Compute, Run, Schedule

FETCH = 22
"""Clocks from the start of a run, or from the last step before, to the first step: a descriptor is fetched."""
WAY_OUT = 8
"""Clocks from the last step, and what its results take to leave the array, until they are in the memory."""
REQUANTIZERS = 6
"""Clocks of a requantizer; accumulators, and eight bits a byte, go past them."""
LOOK_UP = 1
"""Clocks of a table behind it."""
NEXT = 4
"""Clocks from then on until the next descriptor's first step can be."""
LOAD_FETCH = 8
"""Clocks in which a load descriptor is fetched."""
LOAD_REQUEST = 2
"""Clocks of a load besides those of its words: the request, and the check of the CRC."""
LOAD_START = 23
"""Clocks from the start of a run until its first load descriptor is asked for, behind the first compute descriptor."""
BOOT_START = 2
"""The same in a run without computes."""


@dataclass(frozen=True)
class Span:
    """When a compute descriptor works, in clocks from its run's start.

    Attributes:
        before: end of the one before.
        begin: its first step.
        end: all of its results are in the memory.
        waits: clocks until `begin` in which it waited for a load.
    """

    before: int
    begin: int
    end: int
    waits: int


@dataclass(frozen=True)
class Timing:
    """Clocks of a program.

    Attributes:
        spans: of every compute descriptor.
        runs: clocks of each run of a frame.
        boot: clocks of the run before the first frame.
    """

    spans: tuple[Span, ...]
    runs: tuple[int, ...]
    boot: int

    @property
    def clocks(self) -> int:
        """Of all runs of a frame."""
        return sum(self.runs)


def timing(made: Schedule, chip: Chip) -> Timing:
    """Clocks of all runs of a schedule."""
    spans: list[Span] = []
    runs, boot = [], 0
    for run in made.runs:
        if run.boot:
            boot = BOOT_START + sum(LOAD_FETCH + LOAD_REQUEST + load.words for load in run.loads)
            continue
        found = _run(run, chip)
        spans += found
        runs.append(found[-1].end if found else 0)
    return Timing(tuple(spans), tuple(runs), boot)


def _run(run: Run, chip: Chip) -> list[Span]:
    """Both lists, each in order, waiting for each other."""
    loaded: list[int] = []
    spans: list[Span] = []
    loads = iter(run.loads)
    pending = next(loads, None)
    rest = 0  # from the end of a descriptor until the next one can be there
    for number, compute in enumerate(run.computes):
        while pending is not None and pending.after_compute <= number:
            fetched = (loaded[-1] if loaded else LOAD_START) + LOAD_FETCH
            ready = spans[pending.after_compute - 1].end if pending.after_compute else 0
            loaded.append(max(fetched, ready) + LOAD_REQUEST + pending.words)
            pending = next(loads, None)
        before = spans[-1].end if spans else 0
        fetched = before + max(NEXT, rest) if spans else FETCH
        wanted = compute.fields["after_load"]
        begin = max(fetched, loaded[wanted - 1] if wanted else 0)
        end = begin + way_out(compute, chip) + compute_clocks(compute, chip)
        spans.append(Span(before, begin, end, begin - fetched))
        rest = FETCH - way_out(compute, chip) - ending_clocks(compute, compute.fields["last_count"], chip)
    return spans


def way_out(compute: Compute, chip: Chip) -> int:
    """Clocks from the last step to the memory, but for those in which results leave the array one behind the other."""
    if compute.fields["ending"] == ENDING["RAW"] or _as_bits(compute, chip):
        return WAY_OUT
    return WAY_OUT + REQUANTIZERS + LOOK_UP * compute.fields.get("look_up", 0)


def compute_clocks(compute: Compute, chip: Chip) -> int:
    """A step a clock; outputs of a group end at least as far apart as the requantizers need for them."""
    fields, groups = compute.fields, compute.fields["groups"]
    within, between = _apart(compute)
    total = between  # to the first output, for which nothing waits
    for count, times in ((compute.of.group, groups - 1), (fields["last_count"], 1)):
        busy = ending_clocks(compute, count, chip)
        rows = times * fields["out_h"]
        total += rows * (fields["out_w"] - 1) * max(within, busy) + rows * max(between, busy)
    last = ending_clocks(compute, fields["last_count"], chip)
    return total - max(between, last) + last


def ending_clocks(compute: Compute, count: int, chip: Chip) -> int:
    """Clocks that `count` results of a group take on their way out."""
    if _as_bits(compute, chip):
        return 1
    return count if compute.fields["ending"] == ENDING["RAW"] else -(-count // chip.rqs)


def _as_bits(compute: Compute, chip: Chip) -> bool:
    """Whether all results leave at once, a bit each."""
    return chip.kind == XNOR and compute.fields["ending"] == ENDING["THRESHOLD"]


def _apart(compute: Compute) -> tuple[int, int]:
    """Steps from one output to the next in a row, and from the last of a row to the first of the next."""
    fields = compute.fields
    if not fields.get("history"):
        return compute.of.steps, compute.of.steps
    return fields["history_stride"] * fields["kh"], fields["history_kw"] * fields["kh"]
