"""How many clocks a machine takes: its handshakes, simulated clock by clock (`clock_models.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tinsmith_backends.rtl.clock_models import Flags, Fork, model_of
from tinsmith_backends.rtl.instances import Instance, Machine, Wire

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


def timing(machine: Machine, limit: int | None = None) -> Timing | None:
    """What a machine takes; None where it stands still, or where an interval is longer than `limit`."""
    ends = _ends(machine, INFERENCES, limit)
    if ends is None:
        return None
    later = [after - before for before, after in pairwise(ends)][1:]
    return Timing(ends[0], max(later))


def _ends(machine: Machine, inferences: int, limit: int | None) -> list[int] | None:
    """The clock of the last word of each inference, at the slowest output, counted from the first word in."""
    wires = {wire.name: number for number, wire in enumerate(_wires(machine.instances))}
    valid, ready = [False] * len(wires), [False] * len(wires)
    models = [
        model_of(i.module, i.parameters, {p: wires[w.name] for p, w in (*i.inputs.items(), *i.outputs.items())})
        for i in machine.instances
    ]
    forks = [model for model in models if isinstance(model, Fork)]
    backwards = models[::-1]
    sources = [[wires[p.wire.name], p.wire.words * inferences] for p in machine.inputs if p.wire.name in wires]
    sinks = [_Sink(wires[p.wire.name], p.wire.words) for p in machine.outputs if p.wire.name in wires]
    for sink in sinks:
        ready[sink.wire] = True
    start, clock, last_moved = None, 0, 0
    while any(len(sink.ends) < inferences for sink in sinks):
        for source in sources:
            valid[source[0]] = source[1] > 0
        for fork in forks:
            fork.offer(valid)
        before = [valid[sink.wire] for sink in sinks]
        for model in backwards:
            model.clock(valid, ready)
        for source in sources:
            if source[1] and ready[source[0]]:
                source[1] -= 1
                start, last_moved = (clock if start is None else start), clock
        for sink, given in zip(sinks, before, strict=True):
            if given:
                last_moved = clock
                sink.take(clock)
                if limit and len(sink.ends) > 2 and sink.ends[-1] - sink.ends[-2] > limit:
                    return None
        clock += 1
        if clock - last_moved > PATIENCE + machine.cycles:
            return None
    return [max(ends) - (start or 0) for ends in zip(*(sink.ends for sink in sinks), strict=True)]


class _Sink:
    """Takes every word, and notes when an inference is complete."""

    def __init__(self, wire: int, words: int) -> None:
        self.wire, self.words, self.count = wire, words, 0
        self.ends: list[int] = []

    def take(self, clock: int) -> None:
        self.count += 1
        if self.count % self.words == 0:
            self.ends.append(clock)


def _wires(instances: Iterable[Instance]) -> list[Wire]:
    found = {w.name: w for i in instances for w in (*i.inputs.values(), *i.outputs.values())}
    return list(found.values())


__all__ = ["Flags", "Timing", "timing"]
