"""From the exact graph to what the accelerator and the firmware do, in the graph's order."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
from tinsmith.ir.exact import (
    Concat,
    Dequantize,
    ExactGraph,
    Layer,
    MaxPool,
    Quantize,
    Requantization,
    Table,
    Tensor,
    ending_of,
)

from tinsmith_backends.soc.capabilities import in_hardware, strided
from tinsmith_backends.soc.chip import XNOR, Chip
from tinsmith_backends.soc.operations import Operation, View, Work
from tinsmith_backends.soc.orders import Moves, Order, natural, order, pixels_and_channels, root


class Lowering:
    """Work so far, and where tensors stand; the graph has passed `constraints.problems`."""

    def __init__(self, graph: ExactGraph, chip: Chip) -> None:
        self.graph = graph
        self.chip = chip
        self.work: list[Work] = []
        self.views: dict[str, View] = {}
        self.tables: dict[str, Table] = {}

    def tensor(self, name: str) -> Tensor:
        """The exact graph's record."""
        return self.graph.tensors[name]

    def order(self, name: str) -> Order:
        """How the values of a tensor stand in memory, as its flat ONNX indices."""
        found = order(self.graph, name)
        return natural(self.tensor(name).shape) if found is None else found

    def read(self, name: str) -> View:
        """The view of an image, or of rows of values, for a reader that has asked for its natural order."""
        base, tensor = self.views[root(self.graph, name)], self.tensor(name)
        height, width, channels = image(tensor)
        if (height, width, channels) == (base.height, base.width, base.channels):
            return base
        return self.packed(base.buffer, name, base.offset)

    def write(self, layer: Layer) -> View:
        """The view of a layer's output: in a buffer of its own, or in that of the Concat that alone wants it so.

        Where a Table alone reads what the layer makes, and the accelerator has tables, it is the output of that one.
        """
        table = self._table(layer)
        if table is not None:
            self.tables[layer.name] = table
        name = (table or layer).output
        joined = self._joined(layer, name)
        self.views[name] = self.packed(name, name) if joined is None else self.part(joined, name)
        return self.views[name]

    def packed(self, buffer: str, name: str, offset: int = 0) -> View:
        """A view without gaps of a tensor."""
        tensor = self.tensor(name)
        height, width, channels = image(tensor)
        bits = 1 if tensor.bits == 1 and self.chip.kind == XNOR else 8 * np.dtype(tensor.dtype).itemsize
        pixel = ceil(channels * bits / 8)
        signed, zero = tensor.dtype != "uint8", tensor.zero_point
        return View(buffer, height, width, channels, offset, width * pixel, pixel, signed, bits, zero)

    def part(self, joined: Concat, name: str) -> View:
        """Where one input of a Concat stands in its output."""
        whole, part = self.packed(joined.output, joined.output), self.tensor(name)
        rank = len(part.shape)
        before = joined.inputs[: joined.inputs.index(name)]
        first = sum(self.tensor(other).shape[joined.axis] for other in before)
        height, width, channels = image(part)
        channel, row = 1 if rank == 4 else rank - 1, 2 if rank == 4 else -1
        places = {channel: first * whole.bits // 8, row: first * whole.row_bytes}
        offset = places.get(joined.axis, first * whole.pixel_bytes)
        return replace(whole, height=height, width=width, channels=channels, offset=offset)

    def add(self, *work: Work) -> None:
        """Append what a layer does, with the table that `write` found."""
        for each in work:
            table = self.tables.get(each.layer)
            if isinstance(each, Operation) and table is not None:
                self.work.append(each.looked_up(table.table.view(np.uint8)))
            else:
                self.work.append(each)

    def _table(self, layer: Layer) -> Table | None:
        """The Table that the accelerator does behind a layer: one that alone reads its output, or the layer itself."""
        if not self.chip.has("table"):
            return None
        if isinstance(layer, Table):
            return layer
        readers = [other for other in self.graph.layers if layer.output in other.inputs]
        ends_in_bytes = isinstance(ending_of(layer), Requantization) or isinstance(layer, MaxPool)
        if len(readers) != 1 or layer.output in self.graph.outputs or not ends_in_bytes:
            return None
        return readers[0] if isinstance(readers[0], Table) and in_hardware(layer, self.chip) else None

    def _joined(self, layer: Layer, name: str) -> Concat | None:
        """The Concat into whose buffer a layer can write its result `name`: all who read it can read it there."""
        readers = [other for other in self.graph.layers for each in other.inputs if each == name]
        joins = [other for other in readers if isinstance(other, Concat)]
        if len(joins) != 1 or not strided(layer, self.chip) or name in self.graph.outputs:
            return None
        # A row of a part that is joined along the width does not end where the next begins, and padding goes by rows.
        along_width = joins[0].axis == len(self.tensor(name).shape) - 1 and joins[0].axis != 1
        others = [other for other in readers if other is not joins[0]]
        fits = not others if along_width else all(strided(other, self.chip) for other in others)
        return joins[0] if fits else None


def lower(graph: ExactGraph, chip: Chip) -> Lowering:
    """Work and views; `graph` has passed `constraints.problems`."""
    from tinsmith_backends.soc.lower_layers import HANDLERS

    state = Lowering(graph, chip)
    for layer in graph.layers:
        if isinstance(layer, Quantize):
            state.views[layer.output] = state.packed(layer.output, layer.output)
        elif not isinstance(layer, Dequantize | Moves):
            HANDLERS[type(layer)](state, layer)
    return state


def image(tensor: Tensor) -> tuple[int, int, int]:
    """Height, width and channels; a tensor of another rank is one row of pixels."""
    pixels, channels = pixels_and_channels(tensor.shape)
    return (tensor.shape[2], tensor.shape[3], channels) if len(tensor.shape) == 4 else (1, pixels, channels)
