"""The RTL backend: a streaming machine in SystemVerilog, one engine a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tinsmith.backend import Arrays, Build, LayerBuild, Runner, Step, Target
from tinsmith.errors import Problem, TinsmithError
from tinsmith.settings import Setting, Settings, positive, resolve

from tinsmith_backends.rtl.targets import TARGETS

if TYPE_CHECKING:
    from tinsmith.ir.exact import ExactGraph

    from tinsmith_backends.rtl.buffers import Design
    from tinsmith_backends.rtl.instances import Machine

SETTINGS = (Setting("interval", "clocks between inferences that the machine must sustain", "16384", positive),)


@dataclass(frozen=True)
class RtlBackend:
    """Implements `tinsmith.backend.Backend`."""

    given: Settings = field(default_factory=dict)
    _designs: dict[int, tuple[ExactGraph, Design]] = field(default_factory=dict, compare=False, repr=False)
    targets: ClassVar[Mapping[str, Target]] = TARGETS

    def configured(self, target: str, settings: Settings) -> RtlBackend:
        """For an interval."""
        return RtlBackend(resolve(SETTINGS, settings, target))

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        """Every reason why this graph cannot be built."""
        from tinsmith_backends.rtl.constraints import problems

        return problems(graph)

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        """Write the machine into the empty folder `out`. `TinsmithError` for layers too slow for the interval."""
        from tinsmith_backends.rtl.write import write_machine

        with step("fold the layers"):
            design = self._design(graph, target)
            machine = design.machine
        with step("write the machine"):
            write_machine(design, out)
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

        write_vectors(self._design(graph, target), out, expected)

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        """ROM contents and generated modules, made again from the exact graph."""
        from tinsmith_backends.rtl.write import constants

        return {name: text.encode() for name, text in constants(self._design(graph, target).machine).items()}

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> Runner:
        """The simulation in Icarus under cocotb."""
        from tinsmith_backends.rtl.runner import IcarusRunner

        if runner not in (None, IcarusRunner.name):
            what = f"{target} has no runner called {runner!r}"
            raise TinsmithError(what, where="--runner", fix=f"--runner {IcarusRunner.name}")
        return IcarusRunner(build, graph)

    def _design(self, graph: ExactGraph, target: str) -> Design:
        """What is built, made once for a graph."""
        from tinsmith_backends.rtl.buffers import design

        if id(graph) not in self._designs:
            made = design(graph, int(resolve(SETTINGS, self.given, target)["interval"]), {})
            self._designs[id(graph)] = (graph, made)
        return self._designs[id(graph)][1]


def _modules(machine: Machine, layer: str) -> str:
    """Modules that do a layer."""
    return " + ".join(instance.module for instance in machine.instances if instance.layer == layer) or "no logic"


BACKEND = RtlBackend()
"""What the entry point `tinsmith.backends` names."""
