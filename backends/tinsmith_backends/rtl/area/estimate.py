"""What a machine takes: instances by the fitted table, layers with their neighbouring foldings, other intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tinsmith.errors import TinsmithError
from tinsmith.estimates import Estimate, Row, Value
from tinsmith.ir.exact import ExactGraph

from tinsmith_backends.rtl.area.blocks import Block
from tinsmith_backends.rtl.area.fit import estimate as estimate_block
from tinsmith_backends.rtl.area.fit import mean_error
from tinsmith_backends.rtl.buffers import Design, roughly_sized
from tinsmith_backends.rtl.clocks import Timing
from tinsmith_backends.rtl.folding import ADDERS, Candidate, Choice, Pins
from tinsmith_backends.rtl.instances import Instance
from tinsmith_backends.rtl.lower import lower
from tinsmith_backends.synthesis.families import Resources

FAMILY = "ecp5"
"""The family whose blocks were measured, and whose parts are devices."""
QUANTITIES = {
    "LUT": "look-up tables, those of adders and small memories included",
    "FF": "flip-flops",
    "DSP": "multiplier blocks",
    "BRAM": "block memories of 18 kbit",
    "cycles": "clocks an inference in which the layer's slowest module is busy",
    "latency": "clocks from the first word in to the last word out",
    "interval": "clocks between inferences",
}
BETWEEN = "between the layers"
"""Name of the row of forks and gearboxes."""
FASTER_AND_SLOWER = (4, 2, 0.5, 0.25)
"""Intervals that are tried besides, in parts of the one that is asked for: the interval is divided by these."""
QUICK = 20_000
"""Clocks of an interval beyond which others are not tried: simulating them takes minutes."""


def estimate(graph: ExactGraph, design: Design, interval: int, pins: Pins, family: str = FAMILY) -> Estimate:
    """The machine as it would be built for `interval`, with what layers are pinned to, on a family."""
    machine = design.machine
    names = [layer.name for layer in graph.layers if any(one.layer == layer.name for one in machine.instances)]
    layers = [
        Row(
            name,
            _choice(machine.choices.get(name)),
            _layer_values(machine.instances, name, family),
            tuple(_neighbours(graph, name, machine.choices.get(name), interval, pins, family)),
        )
        for name in names
    ]
    between = total([one for one in machine.instances if not one.layer], family)
    others = tuple(_other_intervals(graph, interval, pins, family))
    whole = Row(graph.name, f"--interval {interval}", _machine_values(machine.instances, design.timing, family), others)
    slowest = max(machine.instances, key=lambda one: one.cycles)
    notes = (
        f"for {family}; blocks of the table are met within {mean_error(family):.0%} on average",
        f"the slowest layer is {slowest.layer or BETWEEN}: {slowest.cycles:,} clocks",
    )
    return Estimate(QUANTITIES, whole, (*layers, Row(BETWEEN, "", _values(between))), notes)


def total(instances: Iterable[Instance], family: str) -> Resources:
    """The sum over instances."""
    return sum((estimate_block(Block.of(one), family) for one in instances), Resources())


def _values(found: Resources) -> dict[str, Value]:
    return {"LUT": found.lut, "FF": found.ff, "DSP": found.dsp, "BRAM": found.bram}


def _machine_values(instances: Iterable[Instance], timing: Timing, family: str) -> Mapping[str, Value]:
    values = _values(total(instances, family))
    return {**values, "latency": timing.latency, "interval": timing.interval}


def _layer_values(instances: Iterable[Instance], layer: str, family: str) -> Mapping[str, Value]:
    own = [one for one in instances if one.layer == layer]
    return {**_values(total(own, family)), "cycles": max(one.cycles for one in own)}


def _choice(choice: Choice | None) -> str:
    return "the one way" if choice is None else _pin(choice.chosen)


def _pin(candidate: Candidate) -> str:
    return ", ".join(f"{key} {value}" for key, value in candidate.facts.items())


def _neighbours(
    graph: ExactGraph, layer: str, choice: Choice | None, interval: int, pins: Pins, family: str
) -> Iterable[Row]:
    """The next faster and the next slower way to do a layer."""
    found = (("faster", choice.faster), ("slower", choice.slower)) if choice is not None else ()
    for word, candidate in found:
        if candidate is None:
            continue
        name = f"{word}: {_pin(candidate)}"
        if candidate.kind == ADDERS:  # da4ml would take seconds to minutes for a graph that nobody asked for
            yield Row(layer, name, {"LUT": round(candidate.luts), "cycles": candidate.cycles})
            continue
        pinned = replace(pins, layers={**pins.layers, layer: candidate.facts})
        try:
            machine, _ = lower(graph, max(interval, candidate.cycles), pinned)
        except TinsmithError:
            continue
        yield Row(layer, name, _layer_values(map(_least_rows, machine.instances), layer, family))


def _least_rows(one: Instance) -> Instance:
    """With no more rows than a window former needs: nobody has simulated how many it uses."""
    if "ROWS" not in one.parameters:
        return one
    p = {name: value for name, value in one.parameters.items() if isinstance(value, int)}
    rows = min(p["ROWS"], (p["KH"] - 1) * p["DH"] + 1 + p["SH"])
    return replace(one, parameters={**one.parameters, "ROWS": rows})


def _other_intervals(graph: ExactGraph, interval: int, pins: Pins, family: str) -> Iterable[Row]:
    """The whole machine for other intervals, as far as there are such machines."""
    tried = [int(interval / part) for part in FASTER_AND_SLOWER]
    for other in tried:
        if not 1 <= other <= max(QUICK, interval):
            continue
        try:
            machine, timing = roughly_sized(graph, other, pins)
        except TinsmithError:
            continue
        yield Row(graph.name, f"--interval {other}", _machine_values(machine.instances, timing, family))
