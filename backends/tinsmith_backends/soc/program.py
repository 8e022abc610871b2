"""A network for a chip: what is done, where everything stands, the image, and where each tensor can be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Dequantize, ExactGraph, Quantize

from tinsmith_backends.soc.chip import MULTIPLY, Chip
from tinsmith_backends.soc.cuts import Region, fit
from tinsmith_backends.soc.cycles import Timing
from tinsmith_backends.soc.fastest import fastest
from tinsmith_backends.soc.firmware import FIRMWARE_BYTES
from tinsmith_backends.soc.image import Image, pack
from tinsmith_backends.soc.lower import Lowering, lower
from tinsmith_backends.soc.operations import Software, Work
from tinsmith_backends.soc.orders import root
from tinsmith_backends.soc.schedule import Compute, Schedule
from tinsmith_backends.soc.stream import Stream
from tinsmith_backends.soc.traces import Trace, find_traces


@dataclass(frozen=True)
class Program:
    """What is built."""

    graph: ExactGraph
    chip: Chip
    stream: Stream
    work: tuple[Work, ...]
    regions: tuple[Region, ...]
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
    def parameters(self) -> dict[str, int]:
        """Of the RTL of the whole chip."""
        return {**self.chip.parameters, "RAM_BYTES": self.chip.ram_bytes, "BEAT_BYTES": self.stream.beat_bytes}

    @property
    def descriptor_words(self) -> int:
        """Of descriptor memory."""
        return self.schedule.words


def compile_program(graph: ExactGraph, chip: Chip, stream: Stream | None = None) -> Program:
    """The program of a graph that has passed `constraints.problems`; the stream carries tensors unless told.

    Weights are loaded in parts; of several sizes of parts the one is taken with which the cycle model is fastest. What
    exceeds the activation memory is done in stripes.

    Raises:
        TinsmithError: the network exceeds the activation memory, a layer the weight memory, or the list of descriptors
            its memory, or the tables the processor's, with the layer and the number; the stream cannot fill the inputs.
    """
    stream = stream or Stream()
    state = lower(graph, chip)
    taken, given = _taken(graph), _given(graph)
    stream.check({name: graph.tensors[name] for name in taken}, {name: _bytes(state, name) for name in taken})
    inside, outside = ({state.views[name].buffer: _bytes(state, name) for name in names} for names in (taken, given))
    fitted = fit(state.work, inside, outside, chip)
    best = fastest(fitted.work, fitted.placed, chip)
    words = best.schedule.words
    if words > chip.desc_words:
        what = f"{graph.name} needs {words} words of descriptors, and the chip has {chip.desc_words}"
        raise TinsmithError(what, fix=f"--set desc_words={1 << (words - 1).bit_length()}")
    traces = find_traces(state, best.schedule)
    inputs = tuple(traces[name] for name in taken)
    outputs = tuple(traces[name] for name in given)
    records = [stream.record(each.address, each.size) for each in inputs]
    image = pack(best.schedule, records, [_output(each) for each in outputs], chip)
    _check_tables(image, state, chip)
    found = tuple(traces.values())
    work = tuple(fitted.work)
    made = best.schedule, image, best.timing
    return Program(graph, chip, stream, work, fitted.regions, *made, inputs, outputs, found)


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


def _check_tables(image: Image, state: Lowering, chip: Chip) -> None:
    """Raise `TinsmithError` where the processor's memory does not hold what it uses of the image."""
    size = image.header["payload"]
    if size <= chip.table_bytes:
        return
    largest = max(state.work, key=lambda each: each.table.nbytes if isinstance(each, Software) else 0)
    what = f"the program and its tables need {size} bytes, and the processor has room for {chip.table_bytes}"
    fix = f"--set ram_bytes={1 << (size + FIRMWARE_BYTES - 1).bit_length()}"
    if not isinstance(largest, Software):
        raise TinsmithError(what, where=state.graph.name, why="descriptors take most of them", fix=fix)
    why = f"the firmware does {largest.layer}, and keeps {largest.table.nbytes} bytes of its numbers there"
    if chip.kind != MULTIPLY:
        fix += f"; the elements do what is trained for kind={chip.kind}, and kind={MULTIPLY} any weights"
    raise TinsmithError(what, where=largest.layer, why=why, fix=fix)


def _bytes(state: Lowering, name: str) -> int:
    view = state.views[name]
    return view.height * view.row_bytes


def _output(trace: Trace) -> Mapping[str, int]:
    return {"base": trace.address, "bytes": trace.size}
