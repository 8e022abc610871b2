"""How many clocks a program takes: every descriptor, without running it."""

from __future__ import annotations

from dataclasses import dataclass

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.memory_map import ENDING
from tinsmith_backends.soc.schedule import Compute, Load, Run, Schedule

SETUP = 20
"""Clocks of a compute descriptor before its first and behind its last step."""
LOAD_SETUP = 12
"""Clocks of a load descriptor besides those of its words."""


@dataclass(frozen=True)
class Timing:
    """Clocks of a program.

    Attributes:
        computes: first clock and clock behind the last of every compute descriptor, from the start of its run.
        runs: clocks of each run of a frame.
        boot: clocks of the run before the first frame.
    """

    computes: tuple[tuple[int, int], ...]
    runs: tuple[int, ...]
    boot: int

    @property
    def clocks(self) -> int:
        """Of all runs of a frame."""
        return sum(self.runs)


def timing(made: Schedule, chip: Chip) -> Timing:
    """Clocks of all runs of a schedule."""
    spans: list[tuple[int, int]] = []
    runs, boot = [], 0
    for run in made.runs:
        if run.boot:
            boot = sum(map(load_clocks, run.loads))
            continue
        found = _run(run, chip)
        spans += found
        runs.append(max((end for _, end in found), default=0))
    return Timing(tuple(spans), tuple(runs), boot)


def _run(run: Run, chip: Chip) -> list[tuple[int, int]]:
    """Both lists, each in order, waiting for each other."""
    loaded: list[int] = []
    spans: list[tuple[int, int]] = []
    loads = iter(run.loads)
    pending = next(loads, None)
    for number, compute in enumerate(run.computes):
        while pending is not None and pending.after_compute <= number:
            ready = spans[pending.after_compute - 1][1] if pending.after_compute else 0
            begin = max(loaded[-1] if loaded else 0, ready)
            loaded.append(begin + load_clocks(pending))
            pending = next(loads, None)
        before = spans[-1][1] if spans else 0
        wanted = compute.fields["after_load"]
        begin = max(before, loaded[wanted - 1] if wanted else 0)
        spans.append((begin, begin + compute_clocks(compute, chip)))
    return spans


def load_clocks(load: Load) -> int:
    """A word of 32 bits a clock."""
    return LOAD_SETUP + len(load.data) // 4


def compute_clocks(compute: Compute, chip: Chip) -> int:
    """A step a clock; outputs of a group end at least as far apart as the requantizers need for them."""
    fields, groups = compute.fields, compute.fields["groups"]
    whole = compute.of.group
    total = SETUP
    for count, times in ((whole, groups - 1), (fields["last_count"], 1)):
        ending = count if fields["ending"] == ENDING["RAW"] else -(-count // chip.rqs)
        total += times * fields["out_h"] * _row_clocks(compute, ending)
    return total


def _row_clocks(compute: Compute, ending: int) -> int:
    fields = compute.fields
    if not fields.get("history"):
        return fields["out_w"] * max(compute.of.steps, ending)
    kw, stride, rows = fields["history_kw"], fields["history_stride"], fields["kh"]
    return kw * rows + (fields["out_w"] - 1) * max(stride * rows, ending)
