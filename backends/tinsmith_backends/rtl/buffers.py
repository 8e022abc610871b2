"""A machine that keeps its interval, with buffers no larger than that takes: found by simulating its clocks.

Engines say how many clocks they need; whether they get their words in time depends on every buffer between them. So:

1. the machine is simulated with generous buffers; where it misses the interval, its layers are folded less;
2. simulated again with inputs that come at the interval's pace, it shows how full each buffer gets;
3. queues that it does not need are left out, and those of branches that meet again are as short as they may be without
   a clock more of latency or interval. These two are what the machine promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph

from tinsmith_backends.rtl.clocks import Timing, timing, used
from tinsmith_backends.rtl.folding import Pins
from tinsmith_backends.rtl.instances import Instance, Machine, Wire
from tinsmith_backends.rtl.lower import lower

ATTEMPTS = 6
"""Foldings that are tried for an interval before it is refused."""


@dataclass(frozen=True)
class Design:
    """A machine, the stream that carries each tensor, and the clocks that it promises."""

    machine: Machine
    carried: Mapping[str, Wire]
    timing: Timing


def folded(graph: ExactGraph, interval: int, pins: Pins) -> tuple[Machine, Mapping[str, Wire], Timing]:
    """The machine of least area that takes an inference every `interval` clocks, its buffers still generous.

    Raises:
        TinsmithError: layers that no engine does in time, or an interval that their streams do not keep.
    """
    machine, carried = lower(graph, interval, pins)
    found = _timing(machine)
    target = interval
    for _ in range(ATTEMPTS):
        if found.interval <= interval:
            break
        target = min(target - 1, target * interval // found.interval)
        try:
            machine, carried = lower(graph, max(target, 1), pins)
        except TinsmithError:
            break
        found = _timing(machine)
    if found.interval > interval:
        slowest = max(machine.instances, key=lambda one: one.cycles)
        what = f"an interval of {interval} clocks cannot be met"
        why = f"with its fastest foldings the machine takes {found.interval} clocks, and this layer {slowest.cycles}"
        raise TinsmithError(what, where=slowest.layer, why=why, fix=f"--interval {found.interval} or more")
    return machine, carried, found


def roughly_sized(graph: ExactGraph, interval: int, pins: Pins) -> tuple[Machine, Timing]:
    """As `folded`, with buffers that are large enough: what `design` takes for a start, in a fraction of its time."""
    machine, _, found = folded(graph, interval, pins)
    return _with_sizes(machine, used(machine, found.interval)), found


def design(graph: ExactGraph, interval: int, pins: Pins) -> Design:
    """As `folded`, with buffers of the size that they need."""
    machine, carried, found = folded(graph, interval, pins)
    sized = _with_sizes(machine, used(machine, found.interval))
    promised = _timing(sized)
    queues = [one for one in machine.instances if one.module == "tsm_fifo"]
    for queue in queues:
        if _keeps(emptied := _with_sizes(sized, {queue.name: 0}), promised):
            sized = emptied
    joined = {wire.name for one in machine.instances if len(one.inputs) > 1 for wire in one.inputs.values()}
    for queue in queues:
        if queue.outputs["m"].name in joined:
            sized = _shortened(sized, queue.name, promised)
    smaller, moved = _without_empty(sized)
    traced = {tensor: moved.get(wire.name, wire) for tensor, wire in carried.items()}
    return Design(smaller, traced, _timing(smaller))


def _timing(machine: Machine) -> Timing:
    found = timing(machine)
    if found is None:
        raise TinsmithError(f"the machine of {machine.name} stands still", why="this is a fault of the compiler")
    return found


def _keeps(machine: Machine, promised: Timing) -> bool:
    found = timing(_without_empty(machine)[0], promised)
    return found is not None and found.keeps(promised)


def _shortened(machine: Machine, queue: str, promised: Timing) -> Machine:
    """The machine with the shortest such queue that keeps the promise: more room never makes a machine slower."""
    high = int(next(one.parameters["DEPTH"] for one in machine.instances if one.name == queue))
    low, middle = min(high, 1), high - 1  # what a queue was seen to hold is often what it needs
    while low < high:
        if _keeps(_with_sizes(machine, {queue: middle}), promised):
            high = middle
        else:
            low = middle + 1
        middle = (low + high) // 2
    return _with_sizes(machine, {queue: high})


def _with_sizes(machine: Machine, sizes: Mapping[str, int]) -> Machine:
    def resized(one: Instance) -> Instance:
        if one.name not in sizes:
            return one
        key = "DEPTH" if one.module == "tsm_fifo" else "ROWS"
        return replace(one, parameters={**one.parameters, key: sizes[one.name]})

    return replace(machine, instances=tuple(resized(one) for one in machine.instances))


def _without_empty(machine: Machine) -> tuple[Machine, dict[str, Wire]]:
    """Queues of no word are wires."""
    moved: dict[str, Wire] = {}
    kept = []
    for one in machine.instances:
        inputs = {port: moved.get(wire.name, wire) for port, wire in one.inputs.items()}
        if one.module == "tsm_fifo" and one.parameters["DEPTH"] == 0:
            moved[one.outputs["m"].name] = inputs["s"]
        else:
            kept.append(replace(one, inputs=inputs))
    return replace(machine, instances=tuple(kept)), moved
