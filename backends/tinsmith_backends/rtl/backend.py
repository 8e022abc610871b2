"""The RTL backend: a streaming machine in SystemVerilog or VHDL, one engine a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tinsmith.backend import Arrays, Build, LayerBuild, Runner, Step, Target
from tinsmith.devices import Device, read_devices
from tinsmith.errors import Problem, TinsmithError
from tinsmith.settings import Setting, Settings, of_layer, one_of, positive, resolve

from tinsmith_backends.rtl.folding import ADDERS, KINDS, Pins
from tinsmith_backends.rtl.languages import LANGUAGES, VHDL
from tinsmith_backends.rtl.targets import TARGETS

if TYPE_CHECKING:
    from tinsmith.estimates import Estimate
    from tinsmith.ir.exact import ExactGraph

    from tinsmith_backends.rtl.buffers import Design
    from tinsmith_backends.rtl.instances import Machine

AUTO = "auto"
"""The compiler chooses."""


def _pin(value: str) -> str | None:
    return None if value == AUTO or positive(value) is None else f"it is {AUTO} or a positive whole number"


SETTINGS = (
    Setting("interval", "clocks between inferences that the machine must sustain", "16384", positive),
    Setting("kind", "engine of a layer; of all that have such a one", AUTO, one_of(AUTO, *KINDS), layers=True),
    Setting("pe", "outputs a clock of a layer; of all that have so many", AUTO, _pin, layers=True),
    Setting("simd", "inputs a clock of a layer; of all that have so many", AUTO, _pin, layers=True),
)


def _settings(target: str) -> tuple[Setting, ...]:
    """What a target is told. In VHDL every layer has the same kind of engine, and nothing of it can be pinned."""
    return SETTINGS[:1] if LANGUAGES[target] is VHDL else SETTINGS


@dataclass(frozen=True)
class RtlBackend:
    """Implements `tinsmith.backend.Backend`."""

    given: Settings = field(default_factory=dict)
    _designs: dict[int, tuple[ExactGraph, Design]] = field(default_factory=dict, compare=False, repr=False)
    targets: ClassVar[Mapping[str, Target]] = TARGETS
    devices: ClassVar[Mapping[str, Device]] = read_devices(Path(__file__).with_name("devices.toml"))

    def configured(self, target: str, settings: Settings) -> RtlBackend:
        """For an interval, and engines that layers are pinned to."""
        resolve(_settings(target), settings, target)
        return RtlBackend(settings)

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        """Every reason why this graph cannot be built."""
        from tinsmith_backends.rtl.constraints import problems

        return problems(graph, adders_only=LANGUAGES[target] is VHDL)

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        """Write the machine into the empty folder `out`. `TinsmithError` for layers too slow for the interval."""
        from tinsmith_backends.rtl.write import write_machine

        with step("fold the layers"):
            design = self.design(graph, target)
            machine = design.machine
        with step("write the machine"):
            write_machine(design, out, LANGUAGES[target])
        weights: dict[str, int] = {}
        for instance in machine.instances:
            size = sum(len(line) for text in instance.memories.values() for line in text.split())
            weights[instance.layer] = weights.get(instance.layer, 0) + (size + 1) // 2
        layers = tuple(LayerBuild(n.name, _modules(machine, n.name), weights.get(n.name, 0)) for n in graph.layers)
        return Build(0, 0, sum(weights.values()), 0, layers)

    def write_vectors(
        self, graph: ExactGraph, target: str, out: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]
    ) -> None:
        """Add what the bench feeds and compares."""
        from tinsmith_backends.rtl.write import write_vectors

        write_vectors(self.design(graph, target), out, expected)

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        """ROM contents and generated modules, made again from the exact graph."""
        from tinsmith_backends.rtl.buffers import folded
        from tinsmith_backends.rtl.write import constants

        machine = folded(graph, *self._wanted(graph, target))[0]
        return {name: text.encode() for name, text in constants(machine, LANGUAGES[target]).items()}

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> Runner:
        """The simulation: in Icarus or GHDL under cocotb, or with `verilator` as a C++ program."""
        from tinsmith_backends.rtl.runner import GhdlRunner, IcarusRunner, MachineRunner
        from tinsmith_backends.rtl.verilator_runner import VerilatorRunner

        kinds: tuple[type[MachineRunner], ...] = (
            (GhdlRunner,) if LANGUAGES[target] is VHDL else (IcarusRunner, VerilatorRunner)
        )
        for kind in kinds:
            if kind.name == (runner or kinds[0].name):
                return kind(build, graph)
        what = f"{target} has no runner called {runner!r}"
        raise TinsmithError(what, where="--runner", fix=", ".join(f"--runner {kind.name}" for kind in kinds))

    def estimate(self, graph: ExactGraph, target: str) -> Estimate:
        """Look-up tables, registers, multipliers, memories and clocks; of each layer's neighbouring foldings too."""
        from tinsmith_backends.rtl.area.estimate import estimate

        return estimate(graph, self.design(graph, target), *self._wanted(graph, target))

    def synthesize(self, build: Path, graph: ExactGraph, target: str, family: str, step: Step) -> Estimate:
        """What Yosys makes of a build, and the clock that nextpnr reaches, beside the estimate."""
        from tinsmith_backends.rtl.area.really import synthesized

        return synthesized(build, self.design(graph, target), family, step)

    def design(self, graph: ExactGraph, target: str) -> Design:
        """What is built, made once for a graph."""
        from tinsmith_backends.rtl.buffers import design

        if id(graph) not in self._designs:
            self._designs[id(graph)] = (graph, design(graph, *self._wanted(graph, target)))
        return self._designs[id(graph)][1]

    def _wanted(self, graph: ExactGraph, target: str) -> tuple[int, Pins]:
        """The interval, and what is pinned."""
        every = resolve(_settings(target), self.given, target)
        one = {key: value for key, value in self.given.items() if "@" in key}
        layers = {layer.name: _pins(of_layer(SETTINGS, one, layer.name)) for layer in graph.layers}
        keys = {setting.key for setting in SETTINGS if setting.layers}
        if LANGUAGES[target] is VHDL:
            return int(every["interval"]), Pins(everywhere={"kind": ADDERS})
        return int(every["interval"]), Pins(layers, _pins({key: every[key] for key in keys}))


def _pins(values: Settings) -> dict[str, str]:
    return {key: value for key, value in values.items() if value != AUTO}


def _modules(machine: Machine, layer: str) -> str:
    """Modules that do a layer."""
    return " + ".join(instance.module for instance in machine.instances if instance.layer == layer) or "no logic"


BACKEND = RtlBackend()
"""What the entry point `tinsmith.backends` names."""
