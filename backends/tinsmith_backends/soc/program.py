"""A network for a chip: what is done, where everything stands, the image, and where each tensor can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Dequantize, ExactGraph, Quantize, Tensor

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.cycles import Timing, timing
from tinsmith_backends.soc.image import Image, pack
from tinsmith_backends.soc.lower import Lowering, lower
from tinsmith_backends.soc.memory_map import COMPUTE, INPUT_MODE, LOAD
from tinsmith_backends.soc.operations import Operation, View, Work
from tinsmith_backends.soc.orders import Order, root
from tinsmith_backends.soc.schedule import Compute, Placement, Run, Schedule, place, schedule

BEAT_BYTES = 4
"""Width of the sample stream in frame mode."""


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
        return rows + pixels + self.view.channels * self.value_bytes

    @property
    def value_bytes(self) -> int:
        """Bytes of a value."""
        return np.dtype(self.tensor.dtype).itemsize

    def stored(self, values: npt.NDArray[np.generic]) -> bytes:
        """The bytes of the tensor, in the order in which they stand, without what lies between pixels."""
        return np.ascontiguousarray(values).reshape(-1)[self.order].astype(self._stored_type).tobytes()

    def unstored(self, raw: bytes) -> npt.NDArray[np.generic]:
        """The tensor, in ONNX layout, from what `stored` gives."""
        flat = np.empty(len(raw) // self.value_bytes, self._stored_type)
        flat[self.order] = np.frombuffer(raw, flat.dtype)
        return flat.reshape(self.tensor.shape).astype(self.tensor.dtype)

    def values(self, region: bytes) -> npt.NDArray[np.generic]:
        """The tensor, in ONNX layout, from the bytes of `address` and up."""
        view, size = self.view, self.value_bytes
        rows, pixels = np.arange(view.height)[:, None, None], np.arange(view.width)[:, None]
        places = rows * view.row_bytes + pixels * view.pixel_bytes + np.arange(view.channels * size)
        return self.unstored(np.frombuffer(region, np.uint8)[places].tobytes())

    @property
    def _stored_type(self) -> np.dtype[np.generic]:
        return np.dtype(self.tensor.dtype).newbyteorder("<")


@dataclass(frozen=True)
class Program:
    """What is built."""

    graph: ExactGraph
    chip: Chip
    work: tuple[Work, ...]
    schedule: Schedule
    image: Image
    timing: Timing
    inputs: tuple[Trace, ...]
    outputs: tuple[Trace, ...]
    traces: tuple[Trace, ...]

    @property
    def computes(self) -> tuple[Compute, ...]:
        """All compute descriptors, in the order in which they run."""
        return tuple(compute for run in self.schedule.runs for compute in run.computes)

    @property
    def descriptor_words(self) -> int:
        """Of descriptor memory."""
        return _descriptor_words(self.schedule)


def compile_program(graph: ExactGraph, chip: Chip) -> Program:
    """The program of a graph that has passed `constraints.problems`.

    Weights are loaded in parts; of several sizes of parts the one is taken with which the cycle model is fastest.

    Raises:
        TinsmithError: the network exceeds the activation memory, a layer the weight memory, or the list of descriptors
            its memory; with the layer and the number.
    """
    state = lower(graph, chip)
    taken, given = _taken(graph), _given(graph)
    sizes = [{state.views[name].buffer: _bytes(state, name) for name in names} for names in (taken, given)]
    placed = place(state.work, *sizes)
    _check_activations(placed, chip)
    made = [schedule(state.work, placed, chip, chunk) for chunk in _chunks(state, chip)]
    fitting = [each for each in made if _descriptor_words(each) <= chip.desc_words]
    if not fitting:
        words = min(map(_descriptor_words, made))
        what = f"{graph.name} needs {words} words of descriptors, and the chip has {chip.desc_words}"
        raise TinsmithError(what, fix=f"--set desc_words={1 << (words - 1).bit_length()}")
    timed = [(timing(each, chip), each) for each in fitting]
    best_time, best = min(timed, key=lambda pair: pair[0].clocks)
    traces = _traces(state, best)
    inputs = tuple(traces[name] for name in taken)
    outputs = tuple(traces[name] for name in given)
    image = pack(best, [_input(each) for each in inputs], [_output(each) for each in outputs], chip)
    return Program(graph, chip, tuple(state.work), best, image, best_time, inputs, outputs, tuple(traces.values()))


def _taken(graph: ExactGraph) -> list[str]:
    """Tensors that the chip takes in."""
    return [layer.output for layer in graph.layers if isinstance(layer, Quantize)]


def _given(graph: ExactGraph) -> list[str]:
    """Tensors that the chip puts out: what is dequantized, probabilities and classes."""
    names = []
    for layer in graph.layers:
        if isinstance(layer, Dequantize):
            names.append(root(graph, layer.inputs[0]))
        elif layer.output in graph.outputs:
            names.append(root(graph, layer.output))
    return list(dict.fromkeys(names))


def _chunks(state: Lowering, chip: Chip) -> list[int | None]:
    """Sizes of parts to try, in weight words; None loads everything once at boot, which is best where it fits."""
    operations = [each for each in state.work if isinstance(each, Operation)]
    words = sum(each.weights.shape[0] * each.words for each in operations)
    numbers = sum(len(each.parameters) for each in operations)
    if words <= chip.wgt_words and numbers <= chip.par_words:
        return [None]
    return [max(1, chip.wgt_words // part) for part in (2, 4, 8, 16, 32)]


def _bytes(state: Lowering, name: str) -> int:
    view = state.views[name]
    return view.height * view.row_bytes


def _input(trace: Trace) -> Mapping[str, int]:
    return {"base": trace.address, "bytes": trace.size, "mode": INPUT_MODE["FRAME"], "beat_bytes": BEAT_BYTES}


def _output(trace: Trace) -> Mapping[str, int]:
    return {"base": trace.address, "bytes": trace.size}


def _descriptor_words(made: Schedule) -> int:
    return sum(COMPUTE.words * len(run.computes) + LOAD.words * len(run.loads) for run in made.runs)


def _check_activations(placed: Placement, chip: Chip) -> None:
    size = placed.arena.size
    if size > chip.act_bytes:
        what = f"the activations need {size} bytes, and the chip has {chip.act_bytes}"
        why = f"most of them ({placed.lower_bound} bytes) are alive while {placed.peak} is computed"
        fix = f"--set act_bytes={1 << (size - 1).bit_length()}, or smaller images"
        raise TinsmithError(what, where=placed.peak, why=why, fix=fix)


def _traces(state: Lowering, made: Schedule) -> dict[str, Trace]:
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
        if layer.output in state.views:
            before = max((complete.get(root(state.graph, name), 0) for name in layer.inputs), default=0)
            complete[layer.output] = done.get(layer.name, before)
    traces = {}
    for name in state.graph.tensors:
        base = root(state.graph, name)
        if base in state.views:
            view = state.views[base]
            address = made.address(view)
            traces[name] = Trace(state.tensor(name), complete[base], address, view, state.order(name))
    return traces
