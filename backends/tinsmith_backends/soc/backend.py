"""The soc backend: a program for the accelerator of rtl/soc and the firmware that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tinsmith.backend import Arrays, Build, LayerBuild, Runner, Step, Target
from tinsmith.errors import Problem
from tinsmith.settings import Settings, resolve

from tinsmith_backends.soc.targets import TARGETS

if TYPE_CHECKING:
    from tinsmith.estimates import Estimate
    from tinsmith.ir.exact import ExactGraph

    from tinsmith_backends.soc.chip import Chip
    from tinsmith_backends.soc.program import Program
    from tinsmith_backends.soc.stream import Stream


@dataclass(frozen=True)
class SocBackend:
    """Implements `tinsmith.backend.Backend`."""

    given: Settings = field(default_factory=dict)
    targets: ClassVar[Mapping[str, Target]] = TARGETS

    def configured(self, target: str, settings: Settings) -> SocBackend:
        """For a chip (chip.py has its parameters) and what its sample stream carries (stream.py)."""
        made = SocBackend(settings)
        made._told(target)
        return made

    def problems(self, graph: ExactGraph, target: str) -> list[Problem]:
        """Every reason why this graph cannot be built."""
        from tinsmith_backends.soc.constraints import problems

        return problems(graph, self._told(target)[0])

    def build(self, graph: ExactGraph, target: str, out: Path, step: Step) -> Build:
        """Write image, RTL, firmware and benches into the empty folder `out`.

        Raises:
            TinsmithError: the network does not fit the chip's memories; with the layer and the number.
        """
        from tinsmith_backends.soc.write import write_build

        with step("lower, place and schedule"):
            program = self._program(graph, target)
        with step("write the build"):
            write_build(program, out)
        sizes: dict[str, int] = {}
        for run in program.schedule.runs:
            for load in run.loads:
                sizes[load.layer] = sizes.get(load.layer, 0) + len(load.data)
        kernels = {work.layer: work.kernel for work in program.work}
        layers = tuple(
            LayerBuild(layer.name, kernels.get(layer.name, "nothing"), sizes.get(layer.name, 0))
            for layer in graph.layers
        )
        placed = program.schedule.placed
        return Build(placed.arena.size, placed.lower_bound, sum(sizes.values()), 0, layers)

    def write_vectors(
        self, graph: ExactGraph, target: str, out: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]
    ) -> None:
        """Add the frames that the bench feeds, and the result frames and layers that it compares."""
        from tinsmith_backends.soc.write import write_vectors

        write_vectors(self._program(graph, target), out, samples, expected)

    def expected_constants(self, graph: ExactGraph, target: str) -> Mapping[str, bytes]:
        """Weights, parameters and tables of the image, made again from the exact graph."""
        from tinsmith_backends.soc.description import constants, describe

        program = self._program(graph, target)
        return constants(describe(program), program.image.data)

    def runner(self, build: Path, graph: ExactGraph, target: str, runner: str | None = None) -> Runner:
        """The whole chip with its firmware: in Verilator, or in Icarus under cocotb."""
        from tinsmith_backends.soc.runner import runner_called

        return runner_called(runner or TARGETS[target].runner, build, self._program(graph, target))

    def estimate(self, graph: ExactGraph, target: str) -> Estimate:
        """Clocks, use of the multipliers, memory: `tinsmith.estimates.Estimates`."""
        from tinsmith_backends.soc.estimate import estimate

        return estimate(self._program(graph, target))

    def _program(self, graph: ExactGraph, target: str) -> Program:
        from tinsmith_backends.soc.program import compile_program

        return compile_program(graph, *self._told(target))

    def _told(self, target: str) -> tuple[Chip, Stream]:
        from tinsmith_backends.soc import chip, stream

        values = resolve((*chip.SETTINGS, *stream.SETTINGS), self.given, target)
        return chip.Chip.of(values), stream.Stream.of(values)


BACKEND = SocBackend()
"""What the entry point `tinsmith.backends` names."""
