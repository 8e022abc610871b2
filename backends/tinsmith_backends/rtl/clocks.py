"""How many clocks a machine takes: its handshakes, simulated clock by clock (`clock_models/`)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tinsmith_backends.rtl.clock_models.model import Model, Ports
from tinsmith_backends.rtl.clock_models.modules import model_of
from tinsmith_backends.rtl.clock_models.streams import Fifo, Fork, Slices
from tinsmith_backends.rtl.clock_models.windows import Rows
from tinsmith_backends.rtl.instances import Instance, Machine

INFERENCES = 4
"""Inferences in a row that show how full buffers get."""
MOST = 12
"""Inferences in a row after which the interval is what it is."""
PATIENCE = 1000
"""Clocks without any word moved after which a machine stands still for ever; no engine thinks that long."""


@dataclass(frozen=True)
class Timing:
    """Clocks of a machine whose inputs always offer a word and whose outputs are always ready.

    Attributes:
        latency: from the first word in to the last word out, in an empty machine.
        interval: between the last words of two inferences, once the machine is full.
        filling: how many of them come before that, and may be longer or shorter.
    """

    latency: int
    interval: int
    filling: int

    def keeps(self, promised: Timing) -> bool:
        """Whether it is as fast."""
        return self.latency <= promised.latency and self.interval <= promised.interval


def timing(machine: Machine, limit: Timing | None = None) -> Timing | None:
    """What a machine takes; None where it stands still, or as soon as it is slower than `limit`."""
    most = min(limit.filling + 3, MOST) if limit else MOST
    ends = _Simulation(machine).run(most, limit=limit, until=machine.cycles)
    if ends is None:
        return None
    intervals = [after - before for before, after in pairwise(ends)]
    if max(intervals[-2:]) <= machine.cycles:  # it cannot be faster for long
        slow = [number for number, one in enumerate(intervals) if one > machine.cycles]
        return Timing(ends[0], machine.cycles, max(slow, default=0) + 1)
    late = len(intervals) // 2
    return Timing(ends[0], max(intervals[late:]), late)


def used(machine: Machine, interval: int) -> dict[str, int]:
    """How many words of each queue, and rows of each ring, are in use where inferences come in evenly."""
    simulation = _Simulation(machine)
    simulation.run(INFERENCES, pace=interval)
    found = {}
    for instance, model in zip(machine.instances, simulation.models, strict=True):
        buffer = getattr(model, "rows", None) or model
        if isinstance(buffer, Fifo | Rows):
            found[instance.name] = buffer.used
    return found


class _Simulation:
    """A machine between its sources and its sinks, which are always ready."""

    def __init__(self, machine: Machine) -> None:
        names = dict.fromkeys(wire.name for one in machine.instances for wire in one.ports.values())
        wires = {name: number for number, name in enumerate(names)}
        self._valid, self._ready = [False] * len(wires), [False] * len(wires)
        self.models = [
            _model(one, {port: wires[wire.name] for port, wire in one.ports.items()}) for one in machine.instances
        ]
        self._sources = [_Source(wires[p.wire.name], p.wire.words) for p in machine.inputs]
        self._sinks = [_Sink(wires[p.wire.name], p.wire.words) for p in machine.outputs]
        self._patience = PATIENCE + machine.cycles

    def run(self, inferences: int, *, limit: Timing | None = None, until: int = 0, pace: int = 0) -> list[int] | None:
        """The clock in which each inference is complete, counted from the first word in.

        Args:
            inferences: how many.
            limit: return None as soon as the first takes longer.
            until: stop as soon as two intervals are no longer.
            pace: clocks over which the words of an inference come in; 0 is as fast as they are taken.
        """
        valid, ready, sources, sinks = self._valid, self._ready, self._sources, self._sinks
        forks = [model for model in self.models if isinstance(model, Fork)]
        backwards = [(model, model.s, model.clock) for model in self.models[::-1]]
        for sink in sinks:
            ready[sink.wire] = True
        start, clock, moved = None, 0, 0
        complete: list[int] = []
        while len(complete) < inferences and not _steady(complete, until):
            for source in sources:
                valid[source.wire] = source.offers(clock, inferences, pace)
            for fork in forks:
                fork.offer(valid)
            given = [valid[sink.wire] for sink in sinks]
            for model, s, edge in backwards:
                if valid[s] or not model.idle:
                    edge(valid, ready)
            for source in sources:
                if valid[source.wire] and ready[source.wire]:
                    source.count += 1
                    moved, start = clock, clock if start is None else start
            for sink, one in zip(sinks, given, strict=True):
                if one:
                    moved = clock
                    sink.take()
            if all(sink.inferences > len(complete) for sink in sinks):
                complete.append(clock - (start or 0))
            clock += 1
            late = limit and start is not None and not complete and clock > start + limit.latency + 1
            if late or clock - moved > self._patience + pace:
                return None
        return complete


def _steady(complete: list[int], until: int) -> bool:
    """Whether the last two intervals are no longer than `until`."""
    return len(complete) > 2 and max(complete[-1] - complete[-2], complete[-2] - complete[-3]) <= until


def _model(one: Instance, ports: Ports) -> Model:
    return Slices(len(one.graph.stages), ports) if one.graph else model_of(one.module, one.parameters, ports)


class _Source:
    """Offers the words of every inference."""

    def __init__(self, wire: int, words: int) -> None:
        self.wire, self.words, self.count = wire, words, 0

    def offers(self, clock: int, inferences: int, pace: int) -> bool:
        """Whether there is a word at this clock."""
        return self.count < self.words * inferences and self.count * pace <= clock * self.words


class _Sink:
    """Takes every word."""

    def __init__(self, wire: int, words: int) -> None:
        self.wire, self._words, self._count = wire, words, 0

    def take(self) -> None:
        """Take a word."""
        self._count += 1

    @property
    def inferences(self) -> int:
        """How many are complete."""
        return self._count // self._words
