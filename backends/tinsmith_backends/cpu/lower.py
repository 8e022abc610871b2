"""From the exact graph (ONNX layout) to the program that a CPU runs (channels last, bytes stored as int8)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from tinsmith.ir.exact import ArgMax, ExactGraph, Layer, Quantize, Softmax, Tensor

from tinsmith_backends.cpu.bit_layout import Way, addresses, moves, word_count
from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.layout import Order, axes_of, inverse, nhwc, row_major
from tinsmith_backends.cpu.preferred import preferred
from tinsmith_backends.cpu.program import (
    Buffer,
    Call,
    Element,
    Head,
    Move,
    Moves,
    Port,
    Program,
    Role,
    Step,
    View,
)
from tinsmith_backends.identifiers import identifier, unique


def lower(graph: ExactGraph, isa: Isa) -> Program:
    """The program of `graph` with the kernels of `isa`, in the graph's own order.

    The graph must have passed `constraints.problems`. Weights are packed here, so this is the step that takes time.
    """
    from tinsmith_backends.cpu.lower_layers import HANDLERS

    state = Lowering(graph, isa)
    inputs = [state.add_input(layer) for layer in graph.layers if isinstance(layer, Quantize)]
    for layer in graph.layers:
        handler = HANDLERS.get(type(layer))
        if handler is not None:
            handler(state, layer)
    outputs = [state.add_output(name) for name in graph.outputs]
    names = unique([port.name for port in [*inputs, *outputs]])
    ports = [_renamed(port, name) for port, name in zip([*inputs, *outputs], names, strict=True)]
    return Program(
        name=identifier(graph.name),
        inputs=tuple(ports[: len(inputs)]),
        outputs=tuple(ports[len(inputs) :]),
        buffers=state.buffers,
        views=state.views,
        steps=tuple(state.steps),
    )


def element_of(tensor: Tensor) -> Element:
    """What a number of a tensor of integers is stored as."""
    return "int8" if tensor.dtype == "uint8" else tensor.dtype


def stored_zero_point(tensor: Tensor) -> int:
    """The zero point of the value that is stored: uint8 tensors are stored less 128."""
    return tensor.zero_point - offset(tensor)


def offset(tensor: Tensor) -> int:
    """What is taken from a value of the exact graph to store it."""
    return 128 if tensor.dtype == "uint8" else 0


def _renamed(port: Port, name: str) -> Port:
    return Port(**{**vars(port), "identifier": name})


def _move(source: View, target: View) -> Moves | None:
    """The step that copies one view to another, if one loop nest does it."""
    places = addresses(source.order.size, source.row)[inverse(source.order)[target.order]]
    return moves([Way(places, source.row, addresses(target.order.size, target.row), target.row)])


class Lowering:
    """What the handlers of single layers build on: buffers, views and steps so far."""

    def __init__(self, graph: ExactGraph, isa: Isa) -> None:
        self.graph = graph
        self.isa: Isa = isa
        self.buffers: dict[str, Buffer] = {}
        self.views: dict[str, View] = {}
        self.steps: list[Step] = []
        self.producer: Mapping[str, Layer] = {layer.output: layer for layer in graph.layers}
        self._copies: dict[tuple[str, int, bytes], str] = {}

    def tensor(self, name: str) -> Tensor:
        """The exact graph's record of a tensor."""
        return self.graph.tensors[name]

    def make(self, name: str, order: Order, element: Element = "int8", role: Role = "arena", row: int = 0) -> View:
        """A new buffer, and the view of tensor `name` that it holds in this order; packed in rows unless `row` is 0."""
        view = self._buffer(name, order, element, role, row)
        self.views[name] = view
        return view

    def _buffer(self, name: str, order: Order, element: Element, role: Role, row: int = 0) -> View:
        if row:
            self.buffers[name] = Buffer(name, "uint32", word_count(order.size, row), role)
        else:
            self.buffers[name] = Buffer(name, element, order.size, role)
        return View(name, order, row)

    def alias(self, name: str, view: View, order: Order) -> None:
        """Another name and shape for what stands in a buffer: `order` says how it reads as tensor `name`."""
        self.views[name] = View(view.buffer, order, view.row)

    def in_order(self, name: str, order: Order, layer: Layer, row: int = 0) -> View:
        """The tensor in this order, in bytes or in rows of `row` bits: as it stands, or a copy made for `layer`."""
        view = self.views[name]
        if view.row == row and np.array_equal(view.order, order):
            return view
        key = (view.buffer, row, inverse(view.order)[order].tobytes())
        if key not in self._copies:
            self._copies[key] = self._copy(name, view, View("", order, row), layer).buffer
        return View(self._copies[key], order, row)

    def as_bytes(self, name: str, layer: Layer) -> View:
        """The tensor as it stands, or unpacked in the same order."""
        return self.in_order(name, self.views[name].order, layer)

    def _copy(self, name: str, view: View, wanted: View, layer: Layer) -> View:
        """Steps that bring what `view` shows to the order and form of `wanted`."""
        straight = View("", row_major((wanted.order.size,)), wanted.row and wanted.order.size)
        stops = [wanted] if _move(view, wanted) else [straight, wanted]  # by way of ONNX order
        for stop in stops:
            move = _move(view, stop)
            if move is None:
                raise ValueError("neither a loop nest to ONNX order nor one from it")
            copy = self._buffer(self._fresh(name), stop.order, element_of(self.tensor(name)), "arena", stop.row)
            self.add(layer, (view.buffer,), copy.buffer, move, tensor="")
            view = copy
        return view

    def copy_by(self, step: Moves, view: View, count: int, name: str, layer: Layer) -> str:
        """The name of a new buffer of `count` bytes that `step` fills from the buffer of `view`."""
        copy = self._buffer(self._fresh(name), row_major((count,)), "int8", "arena")
        self.add(layer, (view.buffer,), copy.buffer, step, tensor="")
        return copy.buffer

    def _fresh(self, name: str) -> str:
        number = 1
        while f"{name}#{number}" in self.buffers:
            number += 1
        return f"{name}#{number}"

    def add(
        self,
        layer: Layer,
        inputs: tuple[str, ...],
        output: str,
        body: Call | Moves | Head,
        *,
        tensor: str | None = None,
        constants: Mapping[str, bytes] | None = None,
    ) -> None:
        """Append a step; `tensor` is empty for a helper that completes no tensor of the graph."""
        done = layer.output if tensor is None else tensor
        used = {kind: data for kind, data in (constants or {}).items() if data}
        step = Step(layer.name, layer.source, layer.kind, done, inputs, output, body, used)
        self.steps.append(step)

    def add_input(self, layer: Layer) -> Port:
        """The buffer that a Quantize layer fills before the program runs."""
        tensor = self.tensor(layer.output)
        order = preferred(self.graph, tensor)
        self.make(tensor.name, order, element_of(tensor), "input")
        return self._port(layer.inputs[0], tensor, tensor.name, order)

    def add_output(self, name: str) -> Port:
        """The buffer that the caller brings for one output of the graph."""
        layer = self.producer[name]
        if isinstance(layer, Softmax | ArgMax):
            tensor, view = self.tensor(name), self.views[name]
        else:
            tensor = self.tensor(layer.inputs[0])
            view = self._presentable(layer, tensor)
        return self._port(name, tensor, view.buffer, view.order)

    def _presentable(self, layer: Layer, tensor: Tensor) -> View:
        """The tensor in a buffer of the caller's, in an order that a header can state as axes."""
        order = self.views[tensor.name].order
        view = self.in_order(tensor.name, nhwc(tensor.shape) if axes_of(order, tensor.shape) is None else order, layer)
        buffer = self.buffers[view.buffer]
        if buffer.role != "arena":
            copy = self._buffer(self._fresh(tensor.name), view.order, buffer.element, "output")
            self.add(layer, (view.buffer,), copy.buffer, Moves((Move(0, ((buffer.count, 1, 1),)),)), tensor="")
            return copy
        self.buffers[buffer.name] = Buffer(buffer.name, buffer.element, buffer.count, "output")
        return view

    def _port(self, name: str, tensor: Tensor, buffer: str, order: Order) -> Port:
        axes = axes_of(order, tensor.shape)
        if axes is None:
            raise RuntimeError(f"{tensor.name} stands in an order that is no permutation of its axes")
        return Port(
            name=name,
            identifier="",
            buffer=buffer,
            stored=tensor.name,
            scale=tensor.scale,
            zero_point=stored_zero_point(tensor),
            lo=tensor.lo - offset(tensor),
            hi=tensor.hi - offset(tensor),
            shape=tuple(tensor.shape[a] for a in axes),
            axes=axes,
        )
