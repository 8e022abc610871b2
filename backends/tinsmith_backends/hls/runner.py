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
from tinsmith.ir.exact import ExactGraph, Quantize, Tensor

from tinsmith_backends.hls.description import Description, Port, read_description
from tinsmith_backends.hls.project import harness
from tinsmith_backends.hls.targets import HlsTarget

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
        quantizers = {layer.output: layer for layer in self._graph.layers if isinstance(layer, Quantize)}
        parts = []
        for port in self._description.inputs:
            tensor = self._graph.tensors[port.tensor]
            values = np.asarray(sample[quantizers[port.tensor].inputs[0]], np.float32)
            parts.append(port.to_stored(quantized(values, tensor), tensor).tobytes())
        return b"".join(parts)

    def _tensors(self, shown: Sequence[Port], stored: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[Any]]:
        found = {}
        for port in shown:
            part, stored = stored[: port.size], stored[port.size :]
            found[port.tensor] = port.from_stored(part, self._graph.tensors[port.tensor])
        for layer in self._graph.layers:
            if layer.output in self._graph.outputs and layer.inputs[0] in found:
                tensor = self._graph.tensors[layer.inputs[0]]
                steps = found[layer.inputs[0]].astype(np.int32) - tensor.zero_point
                found[layer.output] = steps.astype(np.float32) * np.float32(tensor.scale)
        return found


def quantized(values: npt.NDArray[np.float32], tensor: Tensor) -> npt.NDArray[Any]:
    """The exact graph's Quantize, which whoever calls the project does before it."""
    with np.errstate(over="ignore"):  # infinity is clamped like any value beyond the range
        steps = np.rint(values / np.float32(tensor.scale))
    zero = tensor.zero_point
    result: npt.NDArray[Any] = (np.clip(steps, tensor.lo - zero, tensor.hi - zero) + zero).astype(tensor.dtype)
    return result


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
