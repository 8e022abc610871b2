"""Runs the npm package of the WebAssembly artefact in node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError

from tinsmith_backends.cpu.executor import TEMPLATES
from tinsmith_backends.cpu.readout import Readout
from tinsmith_backends.cpu.streams import read_constants, run_samples, run_times


class NodeRunner:
    """The same protocol as the C driver, spoken by a small script over the package's own `load` and `run`."""

    name = "node"

    def __init__(self, build: Path, readout: Readout, node: str) -> None:
        missing = [file for file in ("index.mjs", f"{readout.name}.wasm") if not (build / file).exists()]
        if missing:
            raise TinsmithError(f"the build lacks {', '.join(missing)}", where=str(build), fix="compile again")
        self._readout = readout
        script = TEMPLATES / "harness.mjs"
        self._command = (node, str(script), str(build.resolve()))

    def constants(self) -> Mapping[str, bytes]:
        """Read from the module's memory, by `layer/kind`."""
        return read_constants(self._command, self._readout)

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`. With `layers`, layers come from `step` and the graph's outputs from `run`."""
        return run_samples(self._command, self._readout, samples, layers=layers)

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Seconds of each inference by node's clock."""
        return run_times(self._command, self._readout, sample, repeats)
