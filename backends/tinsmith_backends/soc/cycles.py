"""How many clocks a program takes: every descriptor, without running it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tinsmith_backends.soc.chip import XNOR, Chip
from tinsmith_backends.soc.memory_map import ENDING
from tinsmith_backends.soc.schedule import Compute, Load, Run, Schedule

EXT_LATENCY = 4
"""Clocks from a request to the external memory to its first word; the simulated memory is told the same."""
ASK = 1
"""The clock in which both lists ask for the first word of their first descriptors; a run starts in clock 0."""
WORDS_AHEAD, WORDS_BEHIND = 17, 4
"""Words of a compute descriptor that are fetched while the results before are on their way, and behind them."""
LOAD_WORDS = 6
"""Words of a load descriptor."""
TO_STEP = 4
"""Clocks from asking for the first word behind to the first step."""
TO_REQUEST = 3
"""Clocks from asking for a load's last word to the request for its data."""
WAY_OUT = 8
"""Clocks from the last step, and what its results take to leave the array, until they are in the memory."""
REQUANTIZERS = 6
"""Clocks of a requantizer; accumulators, and eight bits a byte, go past them."""
LOOK_UP = 1
"""Clocks of a table behind it."""


@dataclass(frozen=True)
class Span:
    """When a compute descriptor works, in clocks from its run's start.

    Attributes:
        before: end of the one before; of a run's first, the clock in front of the run.
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
        found, ended = _run(run, chip)
        spans += found
        if run.boot:
            boot = ended + 1
        else:
            runs.append(ended + 1)
    return Timing(tuple(spans), tuple(runs), boot)


def _run(run: Run, chip: Chip) -> tuple[list[Span], int]:
    """Both lists, each in order, waiting for each other; and the clock in which both have ended."""
    spans: list[Span] = []
    loaded: list[int] = []
    taken: set[int] = set()  # clocks in which the compute list reads the descriptor memory, and the load list waits
    asks, written = ASK, -1
    for compute in run.computes:
        behind = max(asks + WORDS_AHEAD, written)
        taken.update(range(asks, asks + WORDS_AHEAD), range(behind, behind + WORDS_BEHIND))
        wanted = compute.fields["after_load"]
        _load(run.loads[:wanted], loaded, taken, spans)
        fetched = behind + TO_STEP
        begin = max(fetched, loaded[wanted - 1] + 1 if wanted else 0)
        left = begin + compute_clocks(compute, chip)  # the last results have left the elements
        end = left + way_out(compute, chip)
        spans.append(Span(written, begin, end, begin - fetched))
        asks = left - ending_clocks(compute, compute.fields["last_count"], chip) + 1
        written = end
    _load(run.loads, loaded, taken, spans)
    return spans, max(written, *loaded[-1:], ASK)


def _load(loads: Sequence[Load], loaded: list[int], taken: set[int], spans: Sequence[Span]) -> None:
    """Appends the clocks from which on these loads count as finished to those of the first of them."""
    for load in loads[len(loaded) :]:
        free = (clock for clock in itertools.count(loaded[-1] if loaded else ASK) if clock not in taken)
        last_word = next(itertools.islice(free, LOAD_WORDS - 1, None))
        before = spans[load.after_compute - 1].end if load.after_compute else 0
        request = max(last_word + TO_REQUEST, before + 1)
        loaded.append(request + EXT_LATENCY + load.words + 1)


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
    if compute.fields["ending"] == ENDING["RAW"]:
        return count
    return -(-count // (chip.wide_results if compute.fields.get("wide_out") else chip.rqs))


def _as_bits(compute: Compute, chip: Chip) -> bool:
    """Whether all results leave at once, a bit each."""
    return chip.kind == XNOR and compute.fields["ending"] == ENDING["THRESHOLD"]


def _apart(compute: Compute) -> tuple[int, int]:
    """Steps from one output to the next in a row, and from the last of a row to the first of the next."""
    fields = compute.fields
    if not fields.get("history"):
        return compute.of.steps, compute.of.steps
    return fields["history_stride"] * fields["kh"], fields["history_kw"] * fields["kh"]
