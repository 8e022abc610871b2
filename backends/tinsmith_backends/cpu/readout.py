"""Between the tensors of the exact graph and the bytes of an artefact's buffers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph

from tinsmith_backends.cpu.description import read_description
from tinsmith_backends.cpu.kernels.bits import unpack_rows, words
from tinsmith_backends.cpu.layout import Order, transposed
from tinsmith_backends.cpu.program import ELEMENT_BYTES, View

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Chunk:
    """A run of bytes that an artefact hands out: a buffer as it stands, or the real values of an output.

    Attributes:
        buffer: name of the buffer; empty for real values.
        output: name of the graph's output that this is; empty for any other buffer.
        size: bytes.
    """

    buffer: str
    output: str
    size: int


class Readout:
    """Reads the buffers of one build as tensors of its exact graph, and writes its inputs."""

    def __init__(self, folder: Path, graph: ExactGraph) -> None:
        self.description = read_description(folder)
        self.graph = graph
        self.name: str = self.description["name"]
        views = self.description["tensors"]
        self._views: dict[str, list[tuple[str, View]]] = {}
        for tensor, view in views.items():
            if tensor not in graph.tensors:
                raise TinsmithError(
                    f"the build has a tensor {tensor!r} that the exact graph lacks",
                    where=str(folder),
                    fix="compile again",
                )
            found = View(view["buffer"], _order(view["order"]), int(view["row"]))
            self._views.setdefault(found.buffer, []).append((tensor, found))

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Ports of the inputs, as in program.json."""
        return list(self.description["inputs"])

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """Ports of the outputs, as in program.json."""
        return list(self.description["outputs"])

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Steps, as in program.json."""
        return list(self.description["steps"])

    def size(self, buffer: str) -> int:
        """Bytes of a buffer."""
        entry = self.description["buffers"][buffer]
        return int(entry["count"]) * ELEMENT_BYTES[entry["element"]]

    def feed(self, sample: Arrays) -> list[npt.NDArray[np.float32]]:
        """The real values of each input in the order of its port."""
        arrays = []
        for port in self.inputs:
            shape = self.graph.tensors[port["name"]].shape
            values = np.asarray(sample[port["name"]], dtype=np.float32).reshape(-1)
            arrays.append(np.ascontiguousarray(values[transposed(shape, tuple(port["axes"]))]))
        return arrays

    def chunks(self, *, layers: bool) -> Iterator[Chunk]:
        """What a run hands out for each sample, in this order."""
        if layers:
            for port in self.inputs:
                yield Chunk(port["buffer"], "", self.size(port["buffer"]))
            for step in self.steps:
                yield Chunk(step["output"], "", self.size(step["output"]))
        for port in self.outputs:
            if port["function"] is None:
                yield Chunk(port["buffer"], port["name"], self.size(port["buffer"]))
            else:
                yield Chunk(port["buffer"], "", self.size(port["buffer"]))
                yield Chunk("", port["name"], 4 * math.prod(port["shape"]))

    def tensors(self, chunk: Chunk, data: bytes) -> dict[str, Array]:
        """Every tensor of the exact graph that a chunk holds, in ONNX layout, type and shape."""
        if chunk.buffer:
            element = self.description["buffers"][chunk.buffer]["element"]
            stored = np.frombuffer(data, dtype=np.dtype(element).newbyteorder("<"))
            return {
                name: self._tensor(name, _unpacked(stored, v), v.order) for name, v in self._views.get(chunk.buffer, [])
            }
        port = next(port for port in self.outputs if port["name"] == chunk.output)
        order = transposed(self.graph.tensors[port["stored"]].shape, tuple(port["axes"]))
        return {chunk.output: self._tensor(chunk.output, np.frombuffer(data, "<f4"), order)}

    def _tensor(self, name: str, stored: Array, order: Order) -> Array:
        tensor = self.graph.tensors[name]
        flat = np.empty_like(stored)
        flat[order] = stored
        if tensor.dtype == "uint8":
            flat = (flat.astype(np.int16) + 128).astype(np.uint8)
        return flat.astype(tensor.dtype, copy=False).reshape(tensor.shape)

    def constants(self, struct: bytes) -> dict[str, bytes]:
        """The constants by `layer/kind` out of the bytes of the whole struct."""
        return {c["key"]: struct[c["offset"] : c["offset"] + c["bytes"]] for c in self.description["constants"]}

    @property
    def constants_bytes(self) -> int:
        """Bytes of the whole struct."""
        return int(self.description["constants_bytes"])


def _unpacked(stored: Array, view: View) -> Array:
    """The stored elements, one a number, of a buffer that may be packed."""
    return unpack_rows(stored.reshape(-1, words(view.row)), view.row).reshape(-1) if view.row else stored


def _order(loops: list[list[int]]) -> Order:
    """The index vector that a loop nest counts through, outermost loop first."""
    order = np.zeros(1, dtype=np.int64)
    for count, step in loops:
        order = (order[:, None] + step * np.arange(count)).ravel()
    return order
