"""Devices: a target with a clock and limits. One is accepted wherever a target is, and what does not fit is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tinsmith.backend import Arrays, Backend, Build, Runner, Step, Target
from tinsmith.errors import Problem, TinsmithError
from tinsmith.estimates import Estimate, Row, estimating, synthesizing
from tinsmith.settings import Settings

if TYPE_CHECKING:
    from tinsmith.ir.exact import ExactGraph


@dataclass(frozen=True)
class Device:
    """A part or a board.

    Attributes:
        name: as `--target` takes it.
        summary: what it is.
        target: the target that is built for it.
        clock_mhz: the clock that times are given for.
        limits: the most that there is, by key of the target's `Estimate.quantities`.
        settings: what the target is told for it.
    """

    name: str
    summary: str
    target: str
    clock_mhz: float
    limits: Mapping[str, int]
    settings: Settings = field(default_factory=dict)

    def fits(self, row: Row) -> bool:
        """Whether nothing that a line of an estimate takes is over a limit."""
        return all(row.values.get(key, 0) <= limit for key, limit in self.limits.items())


def read_devices(path: Path) -> Mapping[str, Device]:
    """Devices from a table of the project: `[name]` with summary, target, clock_mhz, limits and settings."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType({name: Device(name=name, **table) for name, table in tables.items()})


@runtime_checkable
class HasDevices(Protocol):
    """A backend that knows devices for its targets; it must estimate them (`tinsmith.estimates.Estimates`)."""

    devices: Mapping[str, Device]


class OnDevice:
    """A backend for one device: builds as its target does, and refuses what does not fit."""

    def __init__(self, backend: Backend, device: Device) -> None:
        self.backend = backend
        self.device = device
        target = backend.targets[device.target]
        self.targets: Mapping[str, Target] = {device.name: replace(target, name=device.name, summary=device.summary)}

    def configured(self, target: str, settings: Settings) -> OnDevice:
        """With the device's own settings below those that are given."""
        return OnDevice(self._told(settings), self.device)

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        """What the target refuses, else what is over the device's limits."""
        found = self.backend.problems(graph, self.device.target)
        if found:
            return found
        try:
            estimate = estimating(self.backend, self.device.target).estimate(graph, self.device.target)
        except TinsmithError as error:
            return error.problems
        return over_limits(estimate, self.device, self._siblings())

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        """As the target."""
        return self.backend.build(graph, self.device.target, out, step)

    def write_vectors(
        self, graph: ExactGraph, target: str, out: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]
    ) -> None:
        """As the target."""
        self.backend.write_vectors(graph, self.device.target, out, samples, expected)

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        """As the target."""
        return self.backend.expected_constants(graph, self.device.target)

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> Runner:
        """As the target."""
        return self.backend.runner(build, graph, self.device.target, runner)

    def estimate(self, graph: ExactGraph, target: str) -> Estimate:
        """The target's, with shares of the device and times at its clock."""
        found = estimating(self.backend, self.device.target).estimate(graph, self.device.target)
        return replace(found, notes=(*found.notes, *shares(found, self.device)))

    def synthesize(self, build: Path, graph: ExactGraph, target: str, family: str, step: Step) -> Estimate:
        """The target's."""
        backend = synthesizing(self.backend, self.device.target)
        return backend.synthesize(build, graph, self.device.target, family, step)

    def _told(self, settings: Settings) -> Backend:
        return self.backend.configured(self.device.target, {**self.device.settings, **settings})

    def _siblings(self) -> list[Device]:
        devices = self.backend.devices.values() if isinstance(self.backend, HasDevices) else ()
        return [device for device in devices if device.target == self.device.target]


def over_limits(estimate: Estimate, device: Device, siblings: Sequence[Device] = ()) -> list[Problem]:
    """A problem for every limit that the whole network is over: by how much, where most of it is, what to change."""
    problems = []
    for key, limit in device.limits.items():
        value = estimate.whole.values.get(key, 0)
        if value > limit:
            what = f"it takes {value:,} {key} and {device.name} has {limit:,}: {value - limit:,} too many"
            layers = sorted(estimate.layers, key=lambda row: row.values.get(key, 0), reverse=True)[:3]
            most = ", ".join(f"{row.name} ({row.values.get(key, 0):,})" for row in layers)
            why = f"{key} is {estimate.quantities[key]}; most of it in {most}"
            problems.append(Problem(what, f"device {device.name}", why, _what_fits(estimate, device, siblings)))
    return problems


def _what_fits(estimate: Estimate, device: Device, siblings: Sequence[Device]) -> str:
    """Another way to do it on this device, or another device of the same settings."""
    fitting = [row.choice for row in estimate.whole.alternatives if device.fits(row)]
    larger = [other.name for other in siblings if other.settings == device.settings and other.fits(estimate.whole)]
    found = [*fitting[:1], *(f"--target {name}" for name in larger[:1])]
    return " or ".join(found) or "a smaller network, or fewer bits"


def shares(estimate: Estimate, device: Device) -> list[str]:
    """What share of a device a network takes, and its times where the estimate has clocks."""
    values = estimate.whole.values
    parts = [f"{key} {values.get(key, 0) / limit:.0%} of {limit:,}" for key, limit in device.limits.items()]
    notes = [f"{device.name}: {', '.join(parts)}"]
    if {"latency", "interval"} <= values.keys():
        rate = device.clock_mhz * 1e6 / values["interval"]
        time = values["latency"] / device.clock_mhz
        notes.append(f"at {device.clock_mhz:g} MHz: latency {time:,.1f} µs, {rate:,.0f} inferences a second")
    return notes
