"""Runs the WebAssembly artefact in wasmtime, inside this process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError

from tinsmith_backends.cpu.readout import Chunk, Readout

POISON = b"\x5a"


class WasmtimeRunner:
    """One instance of the module; buffers are read and written in its memory."""

    name = "wasmtime"

    def __init__(self, build: Path, readout: Readout) -> None:
        try:
            import wasmtime
        except ImportError as error:
            raise TinsmithError(
                "the package wasmtime is missing", why="it runs the artefact", fix="pip install 'tinsmith[cpu]'"
            ) from error
        path = build / f"{readout.name}.wasm"
        self._readout = readout
        self._trap: type[Exception] = wasmtime.Trap
        self._store = wasmtime.Store()
        try:
            module = wasmtime.Module.from_file(self._store.engine, str(path))
            self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        except (OSError, wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise TinsmithError(f"wasmtime does not take the module: {error}", where=str(path)) from error
        self._ports = {p["buffer"]: f"{p['identifier']}_stored" for p in [*readout.inputs, *readout.outputs]}

    def constants(self) -> Mapping[str, bytes]:
        """Read from the module's memory, by `layer/kind`."""
        address = self._address(f"{self._readout.name}_weights")
        return self._readout.constants(self._read(address, self._readout.constants_bytes))

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`. With `layers`, layers come from `step` and the graph's outputs from `run`."""
        for sample in samples:
            found: dict[str, npt.NDArray[Any]] = {}
            self._feed(sample)
            self._poison()
            if layers:
                found |= self._steps()
                self._poison()
            self._call("run")
            for chunk in self._readout.chunks(layers=False):
                found |= self._output(chunk)
            yield found if layers else {name: found[name] for name in self._readout.graph.outputs}

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Seconds of each inference; a call into the module adds a few microseconds."""
        self._feed(sample)
        self._call("run")
        seconds = []
        for _ in range(repeats):
            begin = time.perf_counter()
            self._call("run")
            seconds.append(time.perf_counter() - begin)
        return seconds

    def _feed(self, sample: Arrays) -> None:
        for port, values in zip(self._readout.inputs, self._readout.feed(sample), strict=True):
            self._write(self._address(f"{port['identifier']}_real"), values.astype("<f4").tobytes())
            self._call(f"quantize_{port['identifier']}")

    def _poison(self) -> None:
        """Whatever was in the arena and in the outputs must not matter."""
        self._write(self._address("arena"), POISON * self._readout.description["arena_bytes"])
        for port in self._readout.outputs:
            size = self._readout.size(port["buffer"])
            self._write(self._address(f"{port['identifier']}_stored"), POISON * size)

    def _steps(self) -> dict[str, npt.NDArray[Any]]:
        found: dict[str, npt.NDArray[Any]] = {}
        chunks = list(self._readout.chunks(layers=True))
        inputs = len(self._readout.inputs)
        for chunk in chunks[:inputs]:
            found |= self._readout.tensors(chunk, self._read(self._place(chunk.buffer), chunk.size))
        for number, chunk in enumerate(chunks[inputs : inputs + len(self._readout.steps)]):
            self._call("step", number)
            found |= self._readout.tensors(chunk, self._read(self._place(chunk.buffer), chunk.size))
        return found

    def _output(self, chunk: Chunk) -> dict[str, npt.NDArray[Any]]:
        if chunk.buffer:
            return self._readout.tensors(chunk, self._read(self._place(chunk.buffer), chunk.size))
        port = next(port for port in self._readout.outputs if port["name"] == chunk.output)
        self._call(f"dequantize_{port['identifier']}")
        return self._readout.tensors(chunk, self._read(self._address(f"{port['identifier']}_real"), chunk.size))

    def _place(self, buffer: str) -> int:
        """Address of a buffer: the module's own array for an input or output, else a place in the arena."""
        if buffer in self._ports:
            return self._address(self._ports[buffer])
        return self._address("arena") + int(self._readout.description["buffers"][buffer]["offset"])

    def _call(self, function: str, *arguments: int) -> None:
        try:
            result = self._exports[function](self._store, *arguments)
        except self._trap as error:
            raise TinsmithError(f"the artefact trapped in {function}", where="wasmtime", why=str(error)) from error
        if result:
            raise TinsmithError(f"{function} returned {result}", where="wasmtime")

    def _address(self, symbol: str) -> int:
        return int(self._exports[symbol].value(self._store))

    def _read(self, address: int, size: int) -> bytes:
        return bytes(self._exports["memory"].read(self._store, address, address + size))

    def _write(self, address: int, data: bytes) -> None:
        self._exports["memory"].write(self._store, data, address)
