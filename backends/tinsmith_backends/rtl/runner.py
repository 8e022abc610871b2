"""Simulates a machine and reads every layer from the traces; Icarus and GHDL run it under its own cocotb bench."""

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

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays, Tool
from tinsmith.errors import Problems, TinsmithError
from tinsmith.ir.exact import ExactGraph, Tensor

from tinsmith_backends.host import quantized, with_outputs
from tinsmith_backends.rtl.instances import Wire
from tinsmith_backends.rtl.targets import COCOTB, GHDL, ICARUS
from tinsmith_backends.rtl.write import FILE, VECTORS, hexadecimal

RESULTS = "results.xml"
"""What cocotb says of its tests."""


class MachineRunner(ABC):
    """A simulation of a copy of the build in a temporary folder, where the simulator may write."""

    name: str

    def __init__(self, build: Path, graph: ExactGraph) -> None:
        self._graph = graph
        self._build = build
        try:
            self._description = json.loads((build / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            what = f"cannot read the description of the machine: {error}"
            raise TinsmithError(what, where=str(build / FILE), fix="compile again") from error
        self._folder = tempfile.TemporaryDirectory(prefix="tinsmith-")
        self._work = Path(self._folder.name) / "build"
        shutil.copytree(build, self._work)

    def constants(self) -> Mapping[str, bytes]:
        """Contents of ROM files and generated modules, by path."""
        return read_constants(self._build)

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`; all samples in one simulation, one behind the other."""
        words = {
            port["name"]: [self._words(port, sample) for sample in samples] for port in self._description["inputs"]
        }
        self._simulate(words, len(samples))
        traces = self._description["traces"]
        found = {trace["tensor"]: self._trace(trace, len(samples)) for trace in traces}
        wanted = found.keys() if layers else {port["tensor"] for port in self._description["outputs"]}
        for number in range(len(samples)):
            yield with_outputs(self._graph, {tensor: found[tensor][number] for tensor in wanted})

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Raises `TinsmithError`: a simulation's time says nothing of the hardware's."""
        why = f"the machine takes an inference every {self._description['interval']} clocks, whatever the clock is"
        raise TinsmithError("a simulation is not timed", where=str(self._build), why=why)

    @abstractmethod
    def _simulate(self, words: Mapping[str, list[list[str]]], samples: int) -> None:
        """Feed the words of each input, inference by inference, and leave the traces in the work folder.

        Raises:
            TinsmithError: a tool is missing, the simulation failed, or took other clocks than promised.
        """

    def _words(self, port: Mapping[str, Any], sample: Arrays) -> list[str]:
        return hexadecimal(_wire(port), quantized(self._graph, port["tensor"], sample))

    def _trace(self, trace: Mapping[str, Any], samples: int) -> list[npt.NDArray[Any]]:
        """A tensor for each sample from the words of its stream."""
        wire, tensor = _wire(trace), self._graph.tensors[trace["tensor"]]
        text = (self._work / f"trace_{wire.name}.txt").read_text(encoding="utf-8").split()
        if len(text) < samples * wire.words:
            what = f"the stream of {trace['tensor']} gave {len(text)} of {samples * wire.words} words"
            raise TinsmithError(what, where=str(self._build), fix="compile again")
        mask = (1 << wire.width) - 1
        lanes = [int(word, 16) >> (lane * wire.width) & mask for word in text for lane in range(wire.lanes)]
        size = wire.words * wire.lanes
        return [_tensor(np.array(lanes[i * size : (i + 1) * size]), tensor) for i in range(samples)]


class CocotbRunner(MachineRunner):
    """A simulator under the machine's own cocotb bench.

    Attributes:
        tools: what it needs.
        tracing: what makes a build write the words of its streams.
    """

    tools: tuple[Tool, ...]
    tracing: str

    def _simulate(self, words: Mapping[str, list[list[str]]], samples: int) -> None:
        """`make` as a user would, with the cocotb of this Python."""
        need(*self.tools)
        outputs = {port["name"]: [["0"] * port["words"]] * samples for port in self._description["outputs"]}
        vectors = {"network": self._description["network"], "inputs": words, "outputs": outputs}
        (self._work / VECTORS).write_text(json.dumps(vectors), encoding="utf-8")
        paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": paths, "TINSMITH_RECORD": "1"}
        (self._work / RESULTS).unlink(missing_ok=True)
        command = ["make", f"SIM={self.name}", self.tracing]
        done = subprocess.run(command, cwd=self._work, env=environment, capture_output=True, text=True, check=False)
        results = self._work / RESULTS
        if done.returncode or not results.exists() or "<failure" in results.read_text(encoding="utf-8"):
            lines = [*done.stderr.splitlines(), *done.stdout.splitlines()] or ["no reason given"]
            reasons = [line.strip() for line in lines if "rror" in line] or lines
            raise TinsmithError("the simulation failed", where=str(self._build), why=reasons[0])


class IcarusRunner(CocotbRunner):
    """Icarus Verilog."""

    name = "icarus"
    tools = (COCOTB, ICARUS)
    tracing = "COMPILE_ARGS=-DTINSMITH_TRACE"


class GhdlRunner(CocotbRunner):
    """GHDL."""

    name = "ghdl"
    tools = (COCOTB, GHDL)
    tracing = "SIM_ARGS=-gTRACE=true"


def need(*tools: Tool) -> None:
    """Raise `TinsmithError` for every tool that is missing: nothing can be checked without it."""
    problems = Problems()
    for tool in tools:
        if tool.found() is None:
            why = "the build is complete, but nothing of it was checked"
            problems.add(f"{tool.name} is missing", where="simulation", why=why, fix=tool.install)
    problems.check()


def read_constants(build: Path) -> dict[str, bytes]:
    """What stands in the files that hold the network's numbers."""
    description = json.loads((build / FILE).read_text(encoding="utf-8"))
    return {name: (build / name).read_bytes() for name in description["constants"]}


def _wire(port: Mapping[str, Any]) -> Wire:
    return Wire(port["name"], port["lanes"], port["width"], port["words"])


def _tensor(lanes: npt.NDArray[np.int64], tensor: Tensor) -> npt.NDArray[Any]:
    """The exact graph's tensor from unsigned lanes, channels last."""
    values = (
        1 - 2 * lanes if tensor.bits == 1 else lanes.astype(f"u{np.dtype(tensor.dtype).itemsize}").view(tensor.dtype)
    )
    shape = tensor.shape
    if len(shape) == 4:
        values = values.reshape(shape[0], shape[2], shape[3], shape[1]).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(values.reshape(shape)).astype(tensor.dtype)
