"""Compiles a project with g++ and runs it: every layer that it can show, as tensors of the exact graph."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph

from tinsmith_backends.hls.description import Description, Port, read_description
from tinsmith_backends.hls.project import harness
from tinsmith_backends.hls.targets import HlsTarget
from tinsmith_backends.host import quantized, with_outputs

FLAGS = ("-O1", "-std=c++14", "-w")
"""A fourth longer to compile than without optimization, and a tenth of the time to run."""


class HlsRunner:
    """The project's C++ as a program of this machine, linked in a temporary folder."""

    name = "native"

    def __init__(self, build: Path, graph: ExactGraph, target: HlsTarget) -> None:
        self._graph = graph
        self._build = build
        self._description = read_description(build, graph)
        self._folder = tempfile.TemporaryDirectory(prefix="tinsmith-")
        self._program = link(build, self._description, target, Path(self._folder.name))

    def constants(self) -> Mapping[str, bytes]:
        """The project's weight files, by `layer/file`."""
        return read_constants(self._build)

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`."""
        shown = self._description.layers if layers else self._description.outputs
        size = 8 * sum(port.size for port in shown)
        command = [str(self._program), *(word for port in shown for word in (port.node, str(port.size)))]
        feed = b"".join(self._stored(sample) for sample in samples)
        done = subprocess.run(command, input=feed, capture_output=True, check=False)
        if done.returncode or len(done.stdout) != size * len(samples):
            what = f"the project's program ended with {done.returncode} after {len(done.stdout)} bytes"
            raise TinsmithError(what, where=str(self._build), fix="compile again")
        for start in range(0, len(done.stdout), size):
            yield self._tensors(shown, np.frombuffer(done.stdout[start : start + size], np.float64))

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Raises `TinsmithError`: the C++ simulation's time says nothing of the hardware."""
        why = "its C++ is a simulation, and how fast the hardware is, the vendor's tool knows"
        raise TinsmithError("an HLS project cannot be timed here", where=str(self._build), why=why)

    def _stored(self, sample: Arrays) -> bytes:
        ports, tensors = self._description.inputs, self._graph.tensors
        given = (port.to_stored(quantized(self._graph, port.tensor, sample), tensors[port.tensor]) for port in ports)
        return b"".join(values.tobytes() for values in given)

    def _tensors(self, shown: Sequence[Port], stored: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[Any]]:
        found = {}
        for port in shown:
            part, stored = stored[: port.size], stored[port.size :]
            found[port.tensor] = port.from_stored(part, self._graph.tensors[port.tensor])
        return with_outputs(self._graph, found)


def read_constants(build: Path) -> dict[str, bytes]:
    """What stands in the files that the C++ simulation and the synthesis read weights from."""
    folder = build / "firmware" / "weights"
    return {f"weights/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


def link(build: Path, description: Description, target: HlsTarget, folder: Path) -> Path:
    """Compile the project with the driver; raises `TinsmithError` with the compiler's first error."""
    source, program = folder / "harness.cpp", folder / "harness"
    source.write_text(harness(description, target), encoding="utf-8")
    includes = [f"-I{build / header}" for header in (".", *target.headers)]
    weights = f'-DWEIGHTS_DIR="{build.resolve() / "firmware" / "weights"}"'
    project = build / "firmware" / f"{description.project}.cpp"
    command = ["g++", *FLAGS, *includes, weights, str(source), str(project), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        raise TinsmithError("g++ refuses the project", where=str(build), why=errors[0] if errors else "no reason given")
    return program
