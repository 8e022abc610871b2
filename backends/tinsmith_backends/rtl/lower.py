"""From the exact graph to instances of rtl/: one engine a layer, streams with valid and ready between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd, lcm
from typing import TYPE_CHECKING

import numpy as np
from tinsmith.errors import Problems
from tinsmith.ir.exact import (
    Accumulator,
    Binarize,
    BinaryConv,
    BinaryMatMul,
    Conv,
    Dequantize,
    Ending,
    ExactGraph,
    Layer,
    MatMul,
    Multiply,
    PiecewiseLinear,
    Quantize,
    Requantization,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Table,
    Tensor,
    Threshold,
    ending_of,
)

from tinsmith_backends.rtl.adder.equivalent import requant_offset
from tinsmith_backends.rtl.folding import Candidate, Choice, Pins, choose, divisors
from tinsmith_backends.rtl.instances import Instance, Machine, Parameter, Port, Wire
from tinsmith_backends.rtl.words import memory, signed_width

if TYPE_CHECKING:
    from tinsmith_backends.rtl.adder.trace import Graph

NARROW = 64
"""Bits of an input word up to which a pixel comes at once."""


def lower(graph: ExactGraph, interval: int, pins: Pins) -> tuple[Machine, dict[str, Wire]]:
    """A machine whose engines need at most `interval` clocks each; `graph` has passed `constraints.problems`.

    Args:
        graph: what it computes.
        interval: clocks between inferences.
        pins: what the user asks of layers.

    Returns:
        The machine, its buffers as large as they may have to be, and the stream that carries each tensor.

    Raises:
        TinsmithError: every layer that no engine does in time.
    """
    from tinsmith_backends.rtl.engines import ENGINES

    state = Lowering(graph, interval, pins)
    for layer in graph.layers:
        if isinstance(layer, Quantize):
            state.add_input(layer.output)
        elif isinstance(layer, Dequantize):
            state.add_output(layer.inputs[0])
        else:
            ENGINES[type(layer)](state, layer)
    state.check()
    machine = Machine(graph.name, tuple(state.inputs), tuple(state.outputs), tuple(state.instances), state.choices)
    return machine, state.carried


ELEMENTWISE = (Binarize, Multiply, PiecewiseLinear, Requantize, Reshape, Table)
"""Layers whose output streams in the order of their input, whatever its shape."""


WITHOUT_MULTIPLIER = (BinaryConv, BinaryMatMul, ShiftConv, ShiftMatMul)
"""Layers that are there to take no DSP, so neither does their requantization; nor any other beside these alone."""


class Lowering:
    """Instances so far, and the streams that carry tensors and wait for their readers."""

    def __init__(self, graph: ExactGraph, interval: int, pins: Pins) -> None:
        self.graph = graph
        self.interval = interval
        self._pins = pins
        self.choices: dict[str, Choice] = {}
        self.problems = Problems()
        self.instances: list[Instance] = []
        self.inputs: list[Port] = []
        self.outputs: list[Port] = []
        self.carried: dict[str, Wire] = {}
        self._waiting: dict[str, list[Wire]] = {}
        self._count = 0

    def tensor(self, name: str) -> Tensor:
        """The exact graph's record of a tensor."""
        return self.graph.tensors[name]

    def form(self, name: str) -> tuple[int, int]:
        """Pixels and channels of a tensor as its stream carries it: a flattened image stays what it was."""
        return form(self.graph, name)

    def wire(self, lanes: int, width: int, words: int) -> Wire:
        """A new stream."""
        self._count += 1
        return Wire(f"w{self._count}", lanes, width, words)

    def add(
        self,
        layer: str,
        module: str,
        parameters: Mapping[str, Parameter],
        inputs: Mapping[str, Wire],
        outputs: Mapping[str, Wire],
        *,
        cycles: int = 0,
        memories: Mapping[str, str] | None = None,
        graph: Graph | None = None,
    ) -> None:
        """Append an instance; `cycles` defaults to the words of its longest stream."""
        busy = cycles or max(wire.words for wire in (*inputs.values(), *outputs.values()))
        name = f"u{len(self.instances)}_{module.removeprefix('tsm_')}"
        self.instances.append(Instance(name, module, parameters, inputs, outputs, layer, busy, memories or {}, graph))

    def add_input(self, tensor: str) -> None:
        """A stream from outside: a pixel with all of its channels a word, or as few as the interval leaves time for."""
        bits = width(self.tensor(tensor))
        pixels, channels = image(self.tensor(tensor))
        lanes = next(
            d
            for d in divisors(channels)
            if (channels * bits > NARROW and pixels * channels // d <= self.interval) or d == channels
        )
        wire = Wire(f"in{len(self.inputs)}", lanes, bits, pixels * channels // lanes)
        self.inputs.append(Port(f"s{len(self.inputs)}", tensor, wire))
        self.produce(tensor, wire)

    def add_output(self, tensor: str) -> None:
        """A stream to the outside, as its producer has it."""
        wire = self.consume(tensor)
        self.outputs.append(Port(f"m{len(self.outputs)}", tensor, wire))

    def produce(self, tensor: str, wire: Wire) -> None:
        """`wire` carries a tensor; a fork for each further reader."""
        if len(self.tensor(tensor).shape) == 4 or 1 in self.form(tensor):  # else it is in another order
            self.carried[tensor] = wire
        readers = sum(layer.inputs.count(tensor) for layer in self.graph.layers)
        copies = []
        for _ in range(readers - 1):
            a, b = (self.wire(wire.lanes, wire.width, wire.words) for _ in range(2))
            self.add("", "tsm_fork", {"WIDTH": wire.bits}, {"s": wire}, {"a": a, "b": b})
            copies.append(a)
            wire = b
        self._waiting[tensor] = [*copies, wire]

    def consume(self, tensor: str, lanes: int | None = None) -> Wire:
        """A stream of a tensor for one reader, in words of `lanes` lanes."""
        wire = self._waiting[tensor].pop()
        return wire if lanes in (None, wire.lanes) else self.geared(wire, lanes)

    def geared(self, wire: Wire, lanes: int) -> Wire:
        """The same lanes in words of another size.

        Where neither divides the other, by way of a common divisor, or of a multiple if so many words take too long.
        """
        total = wire.words * wire.lanes
        between = gcd(wire.lanes, lanes)
        if total // between > self.interval and total % lcm(wire.lanes, lanes) == 0:
            between = lcm(wire.lanes, lanes)
        while wire.lanes != lanes:
            step = lanes if wire.lanes % lanes == 0 or lanes % wire.lanes == 0 else between
            out = self.wire(step, wire.width, total // step)
            parameters = {"LANE_W": wire.width, "IN_LANES": wire.lanes, "OUT_LANES": step}
            self.add("", "tsm_gearbox", parameters, {"s": wire}, {"m": out})
            wire = out
        return wire

    def narrowed(self, wire: Wire, cycles: int) -> Wire:
        """The same lanes in the smallest parts of words that pass in `cycles` clocks; as they are if none do."""
        total = wire.words * wire.lanes
        return self.geared(wire, next(d for d in divisors(wire.lanes) if total // d <= cycles or d == wire.lanes))

    def queued(self, layer: str, wire: Wire, depth: int) -> Wire:
        """The same words behind a queue, which `buffers.py` makes as short as it may be."""
        out = self.wire(wire.lanes, wire.width, wire.words)
        self.add(layer, "tsm_fifo", {"WIDTH": wire.bits, "DEPTH": depth}, {"s": wire}, {"m": out})
        return out

    def choose(self, layer: Layer, found: Iterable[Candidate]) -> Candidate:
        """The engine of a layer for the machine's interval."""
        where = f"{layer.kind} {layer.name}"
        every = tuple(found)
        chosen = choose(every, self.interval, self.problems, where, self._pins.of(layer.name))
        self.choices[layer.name] = Choice(chosen, every)
        return chosen

    def check(self) -> None:
        """Raise `TinsmithError` for everything that went wrong, and for pins of layers that have no choice."""
        for name, pinned in self._pins.layers.items():
            if pinned and name not in self.choices:
                keys = ", ".join(pinned)
                self.problems.add(f"{keys} cannot be pinned", where=name, why="there is one way to do this layer")
        self.problems.check()

    def multiplier(self, layer: Layer) -> dict[str, Parameter]:
        """Whether the factors of a layer's requantization may take DSPs, as modules are told."""
        free = not any(isinstance(other, Conv | MatMul) for other in self.graph.layers)
        return {"MULTIPLIER": 0} if free or isinstance(layer, WITHOUT_MULTIPLIER) else {}

    def end(self, layer: Layer, sums: Wire, ending: Ending, channels: int, *, cycles: int, start: int = 0) -> None:
        """The stored output of accumulators: words of `sums.lanes` channels, in order.

        Multipliers are few where the engine has time: as many lanes as keep up with its `cycles`. `start` is what
        products that are 1 times `sums` lack.
        """
        if isinstance(ending, Accumulator):
            self.produce(layer.output, sums)
            return
        if isinstance(ending, Requantization) and np.any(ending.multiplier != 1):
            sums = self.narrowed(sums, cycles)
        y = self.tensor(layer.output)
        out = self.wire(sums.lanes, width(y), sums.words)
        file = f"{identifier(layer.name)}_factors.mem"
        parameters: dict[str, Parameter] = {"LANES": sums.lanes, "ACC_W": sums.width}
        if isinstance(ending, Threshold):
            factors = np.broadcast_to(ending.limit, (channels,))
            parameters |= {"THRESHOLD": 1}
        else:
            factors = np.broadcast_to(ending.multiplier, (channels,))
            parameters |= {"SHIFT": ending.shift, "LO": ending.lo, "HI": ending.hi}
            offset = requant_offset(ending) + start
            parameters |= {"OFFSET": offset} if offset != 1 << (ending.shift - 1) else {}
            parameters |= self.multiplier(layer)
        factor_width = signed_width(int(factors.min()), int(factors.max()))
        rows = np.asarray(factors).reshape(-1, sums.lanes)
        rows = rows[:1] if np.all(rows == rows[0]) else rows  # one line serves all
        parameters |= {"FOLDS": len(rows), "FACTOR_W": factor_width, "OUT_W": out.width, "FILE": file}
        text = memory(rows, factor_width)
        self.add(layer.name, "tsm_ending", parameters, {"s": sums}, {"m": out}, memories={file: text})
        self.produce(layer.output, out)


def width(tensor: Tensor) -> int:
    """Bits of a lane."""
    return 1 if tensor.bits == 1 else 8 * np.dtype(tensor.dtype).itemsize


def sum_width(layer: Layer) -> int:
    """Bits of a layer's accumulators: those that its proved range needs, or those of its output, which they are."""
    return 32 if isinstance(ending_of(layer), Accumulator) else signed_width(*layer.acc)


def signed(tensor: Tensor) -> int:
    """Whether lanes have a sign: 1 or 0, as the modules take it. A bit has none."""
    return int(tensor.dtype != "uint8" and tensor.bits != 1)


def image(tensor: Tensor) -> tuple[int, int]:
    """Pixels and channels of a tensor as a stream carries it; one of rank 2 is one pixel."""
    shape = tensor.shape
    if len(shape) == 4:
        return shape[2] * shape[3], shape[1]
    return 1, int(np.prod(shape))


def form(graph: ExactGraph, name: str) -> tuple[int, int]:
    """Pixels and channels of a tensor as a stream carries it: those of the image that it was before flattening."""
    maker = next((layer for layer in graph.layers if layer.output == name), None)
    if isinstance(maker, ELEMENTWISE):
        return form(graph, maker.inputs[0])
    return image(graph.tensors[name])


def identifier(name: str) -> str:
    """A layer's name as part of a file's."""
    return "".join(c if c.isalnum() else "_" for c in name)
