"""Addresses, and the two lists of descriptors: computes in order, and the loads that bring their weights just in time.

Weight and parameter memories are rings. What a compute needs is one contiguous part of each; a load into a part waits
until the computes that read what stood there have finished, and a compute waits for its own loads. So loading of later
layers overlaps computing of earlier ones, and a layer whose weights exceed the memory goes through it group by group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from tinsmith.errors import TinsmithError

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.memory_map import COMPUTE, LOAD, LOAD_OPCODE, TABLES
from tinsmith_backends.soc.operations import Operation, Software, View, Work
from tinsmith_backends.soc.placement import Placement

LOADED_WORDS = 0xFFFF
"""The most words of 32 bits that a load descriptor brings."""
TABLE_WORDS = {"TABLES": 64}
"""Words of memory that a place in a ring is, where it is not one."""


@dataclass(frozen=True)
class Load:
    """A load descriptor and what it reads: `data` for words `dest` and up of every element.

    `kind` is the name of its opcode in small letters: weights or parameters of a layer, or tables.
    """

    layer: str
    kind: str
    after_compute: int
    dest: int
    data: bytes

    @property
    def words(self) -> int:
        """Of 32 bits that are read."""
        return len(self.data) // 4

    @property
    def opcode(self) -> int:
        """Of the descriptor."""
        return LOAD_OPCODE[self.kind.upper()]


@dataclass(frozen=True)
class Compute:
    """A compute descriptor: all of its fields, and the operation of which it does a part."""

    fields: Mapping[str, int]
    of: Operation


@dataclass
class Run:
    """A run of the accelerator; `boot`: once, before the first frame."""

    computes: list[Compute] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    boot: bool = False


Step = Run | Software


@dataclass(frozen=True)
class Schedule:
    """Everything in order, with addresses."""

    steps: tuple[Step, ...]
    placed: Placement

    def address(self, view: View) -> int:
        """Of the first byte of a view."""
        return self.placed.arena.offsets[view.buffer] + view.offset

    @property
    def words(self) -> int:
        """Of descriptor memory."""
        return sum(COMPUTE.words * len(run.computes) + LOAD.words * len(run.loads) for run in self.runs)

    @property
    def runs(self) -> Iterator[Run]:
        """The accelerator's runs."""
        return (step for step in self.steps if isinstance(step, Run))

    @property
    def software(self) -> Iterator[Software]:
        """The firmware's steps."""
        return (step for step in self.steps if isinstance(step, Software))


def schedule(work: Sequence[Work], placed: Placement, chip: Chip, chunk: int | None) -> Schedule:
    """Descriptors for work whose buffers are placed, in parts of at most `chunk` weight words where possible.

    With None, everything is loaded at boot, and stays.

    Raises:
        TinsmithError: a layer with a group of more weights than the memory holds.
    """
    made = Schedule((), placed)
    rings = {"WEIGHTS": _Ring(chip.wgt_words), "PARAMETERS": _Ring(chip.par_words), "TABLES": _Ring(TABLES)}
    steps: list[Step] = [Run(boot=True)] if chunk is None else []
    for each in work:
        if isinstance(each, Software):
            steps.append(each)
            for ring in rings.values():
                ring.begin_run()
            continue
        run = steps[-1] if steps else None
        if not isinstance(run, Run) or run.boot:
            run = Run()
            steps.append(run)
        loads = steps[0].loads if chunk is None and isinstance(steps[0], Run) else run.loads
        for begin, end in parts(each, chip, chunk):
            _append(run, loads, each, begin, end, made, rings)
    return Schedule(tuple(steps), placed)


def parts(operation: Operation, chip: Chip, chunk: int | None) -> list[tuple[int, int]]:
    """Groups [begin, end) of each descriptor.

    Raises:
        TinsmithError: the weights of one group exceed the memory.
    """
    words = operation.words if operation.own_weights else 0
    if operation.words > chip.wgt_words:
        what = f"{operation.layer} needs {operation.words} weight words at once, and the chip has {chip.wgt_words}"
        fix = f"--set wgt_words={1 << (operation.words - 1).bit_length()}"
        raise TinsmithError(what, why="the products of an output channel are summed without a break", fix=fix)
    loaded = LOADED_WORDS * 4 // chip.word_bytes
    if operation.words > loaded:
        what = f"{operation.layer} needs {operation.words} weight words at once, and one load brings {loaded}"
        raise TinsmithError(what, fix="--set with fewer pes or lanes")
    most = operation.groups
    if words:
        most = max(1, min(loaded, loaded if chunk is None else chunk) // words)
    if operation.parameters.size and chunk is not None:
        most = min(most, chip.par_words // 2)
    return [(begin, min(begin + most, operation.groups)) for begin in range(0, operation.groups, most)]


def _append(
    run: Run, loads: list[Load], operation: Operation, begin: int, end: int, made: Schedule, rings: Mapping[str, _Ring]
) -> None:
    """One compute descriptor and its loads."""
    weights = operation.weights[begin:end] if operation.own_weights else operation.weights
    numbers = operation.parameters[begin:end]
    places = {}
    for kind, data, words in (
        ("PARAMETERS", numbers.astype("<i4").tobytes(), len(numbers)),
        ("WEIGHTS", weights.tobytes(), weights.shape[0] * weights.shape[1]),
        ("TABLES", operation.table.tobytes(), int(operation.table.size > 0)),
    ):
        places[kind] = 0
        if words:
            places[kind], after = rings[kind].take(words, len(run.computes), data)
            if after is not None:
                dest, after = places[kind] * TABLE_WORDS.get(kind, 1), after if loads is run.loads else 0
                loads.append(Load(operation.layer, kind.lower(), after, dest, data))
    moved = begin * operation.group
    skip = moved * operation.input.bits // 8 if operation.fields.get("channelwise") else 0
    channels = _channels(operation)
    fields = {
        **operation.fields,
        "after_load": len(run.loads) if numbers.size or weights.size or operation.table.size else 0,
        "in_base": made.address(operation.input) + skip,
        "in2_base": made.address(operation.second) + skip if operation.second else 0,
        "groups": end - begin,
        "last_count": min(channels, end * operation.group) - (end - 1) * operation.group,
        "w_base": places["WEIGHTS"],
        "p_base": places["PARAMETERS"],
        "table": places["TABLES"],
        "out_base": made.address(operation.output) + moved * operation.output.bits // 8,
        "out_row_bytes": operation.output.row_bytes,
        "out_pix_bytes": operation.output.pixel_bytes,
    }
    run.computes.append(Compute(fields, operation))


def _channels(operation: Operation) -> int:
    """Output channels; all elements of an addition."""
    return operation.fields.get("length", operation.output.channels)


class _Ring:
    """A memory that is filled round and round; knows what stands where, and which compute of the run reads it last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._next = 0
        self._used = np.zeros(size, np.int64)
        self._held: dict[int, tuple[int, bytes]] = {}

    def begin_run(self) -> None:
        """Computes are counted from 0 again; those of earlier runs have finished."""
        self._used[:] = 0

    def take(self, words: int, compute: int, data: bytes) -> tuple[int, int | None]:
        """A place for `words` that compute number `compute` reads, and how many computes must have finished first.

        None where the data is there already: tables, and the weights of a layer that works in stripes.
        """
        for place, (count, there) in self._held.items():
            if there == data:
                self._used[place : place + count] = compute + 1
                return place, None
        if self._next + words > self._size:
            self._next = 0
        place, end = self._next, self._next + words
        after = int(self._used[place:end].max(initial=0))
        self._used[place:end] = compute + 1
        self._held = {at: held for at, held in self._held.items() if at >= end or at + held[0] <= place}
        self._held[place] = words, data
        self._next = end
        return place, after
