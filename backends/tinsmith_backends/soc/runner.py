"""Runs a build: the whole chip with its firmware, simulated, with every layer read from the activation memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from tinsmith.backend import Arrays, Runner
from tinsmith.errors import TinsmithError

from tinsmith_backends.soc.description import IMAGE, constants, frames, read_description, with_outputs
from tinsmith_backends.soc.memory_map import ERROR
from tinsmith_backends.soc.program import Program, Trace
from tinsmith_backends.soc.system import Answer, Frame, Outcome, run


class VerilatorRunner:
    """Verilated RTL in a C++ program: firmware, accelerator, streams, clock by clock."""

    name = "verilator"

    def __init__(self, build: Path, program: Program) -> None:
        self._build = build
        self._program = program
        self._description = read_description(build)
        self._image = (build / IMAGE).read_bytes()

    def constants(self) -> Mapping[str, bytes]:
        """Weights, parameters and tables as they stand in the image, by `layer/kind`."""
        return constants(self._description, self._image)

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`; all samples in one simulation, one behind the other."""
        traces = sorted(self._program.traces, key=lambda trace: trace.computes) if layers else []
        outcome = self.simulate(samples, traces)
        size, at = sum(trace.size for trace in traces), 0
        for answer in outcome.answers:
            found = self._outputs(answer)
            region = outcome.trace[at : at + size]
            at += size
            for trace, data in _cut(region, traces):
                found.setdefault(trace.tensor.name, trace.values(data))
            yield with_outputs(self._program.graph, found)

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Raises `TinsmithError`: a simulation's time says nothing of the hardware's."""
        why = f"the accelerator takes {self._program.timing.clocks} clocks a frame, whatever the clock is"
        raise TinsmithError("a simulation is not timed", where=str(self._build), why=why)

    def simulate(self, samples: Sequence[Arrays], traces: Sequence[Trace] = ()) -> Outcome:
        """One simulation of all samples.

        Raises:
            TinsmithError: the chip reports an error, with its name.
        """
        stream = [Frame(data) for sample in samples for data in frames(self._program, sample)]
        regions = [(trace.computes, trace.address, trace.size) for trace in traces]
        parameters = self._program.chip.parameters
        outcome = run(parameters, self._image, stream, regions=regions, expected=len(samples))
        for number, answer in enumerate(outcome.answers):
            if answer.error:
                what = f"the chip answers sample {number} with error {ERROR.name_of(answer.error)}"
                raise TinsmithError(what, where=str(self._build), why=outcome.log.strip())
        return outcome

    def _outputs(self, answer: Answer) -> dict[str, npt.NDArray[Any]]:
        """The tensors of a result frame; each begins at a word."""
        found, at = {}, 0
        for trace in self._program.outputs:
            found[trace.tensor.name] = trace.values(answer.payload[at : at + trace.size])
            at += -(-trace.size // 4) * 4
        return found


def _cut(region: bytes, traces: Sequence[Trace]) -> Iterator[tuple[Trace, bytes]]:
    at = 0
    for trace in traces:
        yield trace, region[at : at + trace.size]
        at += trace.size


RUNNERS: Mapping[str, type[VerilatorRunner]] = {VerilatorRunner.name: VerilatorRunner}


def runner_called(name: str, build: Path, program: Program) -> Runner:
    """The runner for a build folder; raises `TinsmithError` where none has that name."""
    if name not in RUNNERS:
        raise TinsmithError(
            f"soc has no runner called {name!r}", where="--runner", fix=f"--runner {next(iter(RUNNERS))}"
        )
    return RUNNERS[name](build, program)
