"""Where each tensor of the exact graph can be seen in the activation memory, when, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import Tensor

from tinsmith_backends.soc.lower import Lowering
from tinsmith_backends.soc.operations import View
from tinsmith_backends.soc.orders import Order, root
from tinsmith_backends.soc.schedule import Run, Schedule


@dataclass(frozen=True)
class Trace:
    """Where a tensor stands when `computes` compute descriptors of the image have finished and no more have begun.

    Attributes:
        order: flat ONNX indices of the values, in the order in which they stand.
    """

    tensor: Tensor
    computes: int
    address: int
    view: View
    order: Order

    @property
    def size(self) -> int:
        """From the first byte of the view to behind its last."""
        rows, pixels = (self.view.height - 1) * self.view.row_bytes, (self.view.width - 1) * self.view.pixel_bytes
        return rows + pixels + self.view.run_bytes

    def stored(self, values: npt.NDArray[np.generic]) -> bytes:
        """The bytes of the tensor, in the order in which they stand, without what lies between pixels."""
        flat = np.ascontiguousarray(values).reshape(-1)[self.order]
        if self.view.bits == 1:
            return np.packbits(flat.reshape(-1, self.view.channels) < 0, axis=-1, bitorder="little").tobytes()
        return flat.astype(self._stored_type).tobytes()

    def unstored(self, raw: bytes) -> npt.NDArray[np.generic]:
        """The tensor, in ONNX layout, from what `stored` gives."""
        flat = np.empty(self.order.size, self._stored_type)
        flat[self.order] = self._bits(raw) if self.view.bits == 1 else np.frombuffer(raw, flat.dtype)
        return flat.reshape(self.tensor.shape).astype(self.tensor.dtype)

    def values(self, region: bytes) -> npt.NDArray[np.generic]:
        """The tensor, in ONNX layout, from the bytes of `address` and up."""
        view = self.view
        rows, pixels = np.arange(view.height)[:, None, None], np.arange(view.width)[:, None]
        places = rows * view.row_bytes + pixels * view.pixel_bytes + np.arange(view.run_bytes)
        return self.unstored(np.frombuffer(region, np.uint8)[places].tobytes())

    def _bits(self, raw: bytes) -> npt.NDArray[np.int8]:
        """+1 and -1 of pixels that begin with a byte."""
        pixels = np.frombuffer(raw, np.uint8).reshape(-1, self.view.run_bytes)
        ones = np.unpackbits(pixels, axis=-1, count=self.view.channels, bitorder="little")
        return 1 - 2 * ones.astype(np.int8).ravel()

    @property
    def _stored_type(self) -> np.dtype[np.generic]:
        return np.dtype(self.tensor.dtype).newbyteorder("<")


def find_traces(state: Lowering, made: Schedule) -> dict[str, Trace]:
    """Where each tensor of the graph is complete."""
    done: dict[str, int] = {}
    count = 0
    for step in made.steps:
        if isinstance(step, Run):
            for compute in step.computes:
                count += 1
                done[compute.of.layer] = count
        else:
            done[step.layer] = count
    complete: dict[str, int] = {}
    for layer in state.graph.layers:
        before = max((complete.get(root(state.graph, name), 0) for name in layer.inputs), default=0)
        complete[layer.output] = done.get(layer.name, before)
    traces = {}
    for name in state.graph.tensors:
        base = root(state.graph, name)
        if base in state.views and state.views[base].buffer in made.placed.arena.offsets:
            view = state.views[base]
            address = made.address(view)
            traces[name] = Trace(state.tensor(name), complete[base], address, view, state.order(name))
    return traces
