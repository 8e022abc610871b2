"""Runs a build: the whole chip with its firmware, simulated, with every layer read from the activation memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from tinsmith.backend import Arrays, Runner
from tinsmith.errors import TinsmithError

from tinsmith_backends.host import with_outputs
from tinsmith_backends.soc.description import (
    FRAMES_IMAGE,
    IMAGE,
    VECTORS,
    constants,
    frames,
    read_description,
)
from tinsmith_backends.soc.image import fed_by_frames
from tinsmith_backends.soc.memory_map import ERROR
from tinsmith_backends.soc.program import Program
from tinsmith_backends.soc.stream import FRAME
from tinsmith_backends.soc.system import Frame, Outcome, run
from tinsmith_backends.soc.traces import Trace

RECORD = "record.json"
"""What the bench writes."""


class ChipRunner(ABC):
    """What all simulators of the chip share."""

    name = ""

    def __init__(self, build: Path, program: Program) -> None:
        self.build = build
        self.program = program
        self.image = (build / IMAGE).read_bytes()
        self._description = read_description(build)

    def constants(self) -> Mapping[str, bytes]:
        """Weights, parameters and tables as they stand in the image, by `layer/kind`."""
        return constants(self._description, self.image)

    @abstractmethod
    def tensors(self, samples: Sequence[Arrays], *, layers: bool) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """What the chip puts out for each sample, and with `layers` every tensor that stood in its memory."""

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`; all samples in one simulation, one behind the other."""
        for found in self.tensors(samples, layers=layers):
            yield with_outputs(self.program.graph, found)

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Raises `TinsmithError`: a simulation's time says nothing of the hardware's."""
        why = f"the accelerator takes {self.program.timing.clocks} clocks a frame, whatever the clock is"
        raise TinsmithError("a simulation is not timed", where=str(self.build), why=why)

    def framed(self) -> bytes:
        """The image, with inputs as whole tensors: what a host can send that is no ADC."""
        stream = self.program.stream
        return self.image if stream.stream == FRAME else fed_by_frames(self.image, stream.beat_bytes)

    def results(self, payload: bytes) -> dict[str, npt.NDArray[Any]]:
        """The tensors of a result frame; each begins at a word."""
        found, at = {}, 0
        for trace in self.program.outputs:
            found[trace.tensor.name] = trace.unstored(payload[at : at + trace.size])
            at += -(-trace.size // 4) * 4
        return found


class VerilatorRunner(ChipRunner):
    """Verilated RTL in a C++ program: firmware, accelerator, streams, clock by clock."""

    name = "verilator"

    def tensors(self, samples: Sequence[Arrays], *, layers: bool) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `ChipRunner`."""
        traces = sorted(self.program.traces, key=lambda trace: trace.computes) if layers else []
        outcome = self.simulate(samples, traces)
        size = sum(trace.size for trace in traces)
        for number, answer in enumerate(outcome.answers):
            region = outcome.trace[number * size : (number + 1) * size]
            seen = {trace.tensor.name: trace.values(data) for trace, data in _cut(region, traces)}
            yield seen | self.results(answer.payload)

    def simulate(self, samples: Sequence[Arrays], traces: Sequence[Trace] = ()) -> Outcome:
        """One simulation of all samples.

        Raises:
            TinsmithError: the chip reports an error, with its name.
        """
        stream = [Frame(data) for sample in samples for data in frames(self.program, sample)]
        regions = [(trace.computes, trace.address, trace.size) for trace in traces]
        outcome = run(
            self.program.parameters, self.framed(), stream, regions=regions, expected=len(samples), root=self.build
        )
        for number, answer in enumerate(outcome.answers):
            if answer.error:
                what = f"the chip answers sample {number} with error {ERROR.name_of(answer.error)}"
                raise TinsmithError(what, where=str(self.build), why=outcome.log.strip())
        return outcome


class IcarusRunner(ChipRunner):
    """The build's own cocotb bench in Icarus Verilog; slow."""

    name = "icarus"

    def tensors(self, samples: Sequence[Arrays], *, layers: bool) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `ChipRunner`."""
        for answer in self._recorded(samples):
            seen = {
                trace.tensor.name: trace.unstored(bytes.fromhex(answer["tensors"][trace.tensor.name]))
                for trace in (self.program.traces if layers else ())
            }
            yield seen | self.results(bytes.fromhex(answer["result"]))

    def _recorded(self, samples: Sequence[Arrays]) -> list[dict[str, Any]]:
        """`make` as a user would, with the cocotb of this Python, in a copy of the build where it may write."""
        with tempfile.TemporaryDirectory(prefix="tinsmith-") as name:
            work = Path(name) / "build"
            shutil.copytree(self.build, work)
            for image in {IMAGE, FRAMES_IMAGE} & {path.name for path in work.iterdir()}:
                (work / image).write_bytes(self.framed())
            vectors = {"frames": [[data.hex() for data in frames(self.program, sample)] for sample in samples]}
            (work / VECTORS).write_text(json.dumps(vectors), encoding="utf-8")
            paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
            environment = {**os.environ, "PATH": paths, "TINSMITH_RECORD": RECORD}
            done = subprocess.run(["make"], cwd=work, env=environment, capture_output=True, text=True, check=False)
            if done.returncode or not (work / RECORD).exists():
                lines = [*done.stderr.splitlines(), *done.stdout.splitlines()] or ["no reason given"]
                reasons = [line.strip() for line in lines if "rror" in line] or lines
                raise TinsmithError("the simulation failed", where=str(self.build), why=reasons[0])
            answers: list[dict[str, Any]] = json.loads((work / RECORD).read_text(encoding="utf-8"))
            return answers


def _cut(region: bytes, traces: Sequence[Trace]) -> Iterator[tuple[Trace, bytes]]:
    at = 0
    for trace in traces:
        yield trace, region[at : at + trace.size]
        at += trace.size


RUNNERS: Mapping[str, type[ChipRunner]] = {each.name: each for each in (VerilatorRunner, IcarusRunner)}


def runner_called(name: str, build: Path, program: Program) -> Runner:
    """The runner for a build folder; raises `TinsmithError` where none has that name."""
    if name not in RUNNERS:
        what = f"soc has no runner called {name!r}"
        raise TinsmithError(what, where="--runner", fix=f"--runner {' or '.join(RUNNERS)}")
    return RUNNERS[name](build, program)
