"""How many clocks a machine takes: its handshakes, simulated clock by clock (`clock_models.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tinsmith_backends.rtl.clock_models import Fifo, Fork, Model, Ports, Rows, Slices, model_of
from tinsmith_backends.rtl.instances import Instance, Machine

INFERENCES = 4
"""Inferences in a row: the first one meets an empty machine, and from the third one on they come at the interval."""
PATIENCE = 1000
"""Clocks without any word moved after which a machine stands still for ever; no engine thinks that long."""


@dataclass(frozen=True)
class Timing:
    """Clocks of a machine whose inputs always offer a word and whose outputs are always ready.

    Attributes:
        latency: from the first word in to the last word out, in an empty machine.
        interval: between the last words of two inferences, once the machine is full.
    """

    latency: int
    interval: int


def timing(machine: Machine, limit: Timing | None = None) -> Timing | None:
    """What a machine takes; None where it stands still, or as soon as it is slower than `limit`."""
    ends = _Simulation(machine).run(INFERENCES, limit=limit)
    if ends is None:
        return None
    later = [after - before for before, after in pairwise(ends)][1:]
    return Timing(ends[0], max(later))


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

    def run(self, inferences: int, *, limit: Timing | None = None, pace: int = 0) -> list[int] | None:
        """The clock in which each inference is complete, counted from the first word in.

        Args:
            inferences: how many.
            limit: return None as soon as the machine is slower.
            pace: clocks over which the words of an inference come in; 0 is as fast as they are taken.
        """
        valid, ready, sources, sinks = self._valid, self._ready, self._sources, self._sinks
        forks = [model for model in self.models if isinstance(model, Fork)]
        backwards = [(model, model.s, model.clock) for model in self.models[::-1]]
        for sink in sinks:
            ready[sink.wire] = True
        start, clock, moved = None, 0, 0
        while any(len(sink.ends) < inferences for sink in sinks):
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
                    sink.take(clock)
            clock += 1
            if clock - moved > self._patience + pace:
                return None
            if limit and start is not None and any(clock > sink.latest(limit, start) + 1 for sink in sinks):
                return None
        return [max(ends) - (start or 0) for ends in zip(*(sink.ends[:inferences] for sink in sinks), strict=True)]


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
    """Takes every word, and notes when an inference is complete."""

    def __init__(self, wire: int, words: int) -> None:
        self.wire, self.words, self.count = wire, words, 0
        self.ends: list[int] = []

    def take(self, clock: int) -> None:
        self.count += 1
        if self.count % self.words == 0:
            self.ends.append(clock)

    def latest(self, limit: Timing, start: int) -> int:
        """The clock by which the next inference is complete; the second may be late, since the machine fills."""
        if not self.ends:
            return start + limit.latency
        return self.ends[-1] + limit.interval + (limit.latency if len(self.ends) == 1 else 0)
