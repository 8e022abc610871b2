"""A network for a chip: what is done, where everything stands, the image, and where each tensor can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Dequantize, ExactGraph, Quantize

from tinsmith_backends.soc.chip import MULTIPLY, Chip
from tinsmith_backends.soc.cycles import Timing, timing
from tinsmith_backends.soc.firmware import FIRMWARE_BYTES
from tinsmith_backends.soc.image import Image, pack
from tinsmith_backends.soc.lower import Lowering, lower
from tinsmith_backends.soc.memory_map import COMPUTE, LOAD, TABLES
from tinsmith_backends.soc.operations import Operation, Software, Work
from tinsmith_backends.soc.orders import root
from tinsmith_backends.soc.schedule import Compute, Schedule, schedule
from tinsmith_backends.soc.stream import Stream
from tinsmith_backends.soc.stripes import fit
from tinsmith_backends.soc.traces import Trace, find_traces


@dataclass(frozen=True)
class Program:
    """What is built."""

    graph: ExactGraph
    chip: Chip
    stream: Stream
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
    def parameters(self) -> dict[str, int]:
        """Of the RTL of the whole chip."""
        return {**self.chip.parameters, "RAM_BYTES": self.chip.ram_bytes, "BEAT_BYTES": self.stream.beat_bytes}

    @property
    def descriptor_words(self) -> int:
        """Of descriptor memory."""
        return _descriptor_words(self.schedule)


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
    work, placed = fit(state.work, inside, outside, chip)
    made = [schedule(work, placed, chip, chunk) for chunk in _chunks(work, chip)]
    fitting = [each for each in made if _descriptor_words(each) <= chip.desc_words]
    if not fitting:
        words = min(map(_descriptor_words, made))
        what = f"{graph.name} needs {words} words of descriptors, and the chip has {chip.desc_words}"
        raise TinsmithError(what, fix=f"--set desc_words={1 << (words - 1).bit_length()}")
    timed = [(timing(each, chip), each) for each in fitting]
    best_time, best = min(timed, key=lambda pair: pair[0].clocks)
    traces = find_traces(state, best)
    inputs = tuple(traces[name] for name in taken)
    outputs = tuple(traces[name] for name in given)
    records = [stream.record(each.address, each.size) for each in inputs]
    image = pack(best, records, [_output(each) for each in outputs], chip)
    _check_tables(image, state, chip)
    found = tuple(traces.values())
    return Program(graph, chip, stream, tuple(work), best, image, best_time, inputs, outputs, found)


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


def _chunks(work: Sequence[Work], chip: Chip) -> list[int | None]:
    """Sizes of parts to try, in weight words; None loads everything once at boot, which is best where it fits."""
    operations = {id(each.weights): each for each in work if isinstance(each, Operation)}.values()
    words = sum(each.weights.shape[0] * each.words for each in operations)
    numbers = sum(len(each.parameters) for each in operations)
    tables = len({each.table.tobytes() for each in operations if each.table.size})
    if words <= chip.wgt_words and numbers <= chip.par_words and tables <= TABLES:
        return [None]
    return [max(1, chip.wgt_words // part) for part in (2, 4, 8, 16, 32)]


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


def _descriptor_words(made: Schedule) -> int:
    return sum(COMPUTE.words * len(run.computes) + LOAD.words * len(run.loads) for run in made.runs)
