"""From the exact graph to what the accelerator and the firmware do, in the graph's order."""

from __future__ import annotations

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

from tinsmith_backends.soc.chip import Chip
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
        return packed(base.buffer, tensor, base.offset)

    def write(self, layer: Layer) -> View:
        """The view of a layer's output: in a buffer of its own, or in that of the Concat that alone wants it so.

        Where a Table alone reads what the layer makes, and the accelerator has tables, it is the output of that one.
        """
        table = table_of(self.graph, layer, self.chip)
        if table is not None:
            self.tables[layer.name] = table
        name = (table or layer).output
        joined = concat_of(self.graph, layer, name, self.chip)
        if joined is None:
            self.views[name] = packed(name, self.tensor(name))
        else:
            self.views[name] = part_of(self.graph, joined, name)
        return self.views[name]

    def add(self, *work: Work) -> None:
        """Append what a layer does, with the table that `write` found."""
        for each in work:
            table = self.tables.get(each.layer)
            if isinstance(each, Operation) and table is not None:
                self.work.append(each.looked_up(table.table.view(np.uint8)))
            else:
                self.work.append(each)


def lower(graph: ExactGraph, chip: Chip) -> Lowering:
    """Work and views; `graph` has passed `constraints.problems`."""
    from tinsmith_backends.soc.lower_layers import HANDLERS

    state = Lowering(graph, chip)
    for layer in graph.layers:
        if isinstance(layer, Quantize):
            state.views[layer.output] = packed(layer.output, graph.tensors[layer.output])
        elif not isinstance(layer, Dequantize | Moves):
            HANDLERS[type(layer)](state, layer)
    return state


def image(tensor: Tensor) -> tuple[int, int, int]:
    """Height, width and channels; a tensor of another rank is one row of pixels."""
    pixels, channels = pixels_and_channels(tensor.shape)
    return (tensor.shape[2], tensor.shape[3], channels) if len(tensor.shape) == 4 else (1, pixels, channels)


def packed(buffer: str, tensor: Tensor, offset: int = 0) -> View:
    """A view without gaps."""
    height, width, channels = image(tensor)
    size = value_bytes(tensor)
    row, pixel = width * channels * size, channels * size
    return View(buffer, height, width, channels, offset, row, pixel, tensor.dtype != "uint8")


def value_bytes(tensor: Tensor) -> int:
    """Bytes of a value in the activation memory."""
    return np.dtype(tensor.dtype).itemsize


def part_of(graph: ExactGraph, joined: Concat, name: str) -> View:
    """Where one input of a Concat stands in its output."""
    whole, part = packed(joined.output, graph.tensors[joined.output]), graph.tensors[name]
    rank = len(part.shape)
    before = joined.inputs[: joined.inputs.index(name)]
    first = sum(graph.tensors[other].shape[joined.axis] for other in before)
    height, width, channels = image(part)
    unit = {1 if rank == 4 else rank - 1: 1, 2 if rank == 4 else -1: whole.row_bytes}.get(
        joined.axis, whole.pixel_bytes
    )
    return View(whole.buffer, height, width, channels, first * unit, whole.row_bytes, whole.pixel_bytes, whole.signed)


def table_of(graph: ExactGraph, layer: Layer, chip: Chip) -> Table | None:
    """The Table that the accelerator does behind a layer: one that alone reads its output, or the layer itself."""
    if not chip.has("table") or isinstance(layer, Table):
        return layer if chip.has("table") and isinstance(layer, Table) else None
    readers = [other for other in graph.layers if layer.output in other.inputs]
    in_hardware = chip.has({"Add": "add", "MaxPool": "maxpool"}.get(layer.kind, ""))
    ends_in_bytes = isinstance(ending_of(layer), Requantization) or isinstance(layer, MaxPool)
    if len(readers) != 1 or layer.output in graph.outputs or not (in_hardware and ends_in_bytes):
        return None
    return readers[0] if isinstance(readers[0], Table) else None


def concat_of(graph: ExactGraph, layer: Layer, name: str, chip: Chip) -> Concat | None:
    """The Concat into whose buffer a layer can write its result `name`: all who read it can read it there."""
    from tinsmith_backends.soc.lower_layers import STRIDED_READERS, STRIDED_WRITERS

    tables = (Table,) if chip.has("table") else ()
    readers = [other for other in graph.layers for each in other.inputs if each == name]
    joins = [other for other in readers if isinstance(other, Concat)]
    if len(joins) != 1 or not isinstance(layer, STRIDED_WRITERS + tables) or name in graph.outputs:
        return None
    # A row of a part that is joined along the width does not end where the next begins, and padding goes by rows.
    along_width = joins[0].axis == len(graph.tensors[name].shape) - 1 and joins[0].axis != 1
    others = [other for other in readers if other is not joins[0]]
    fits = not others if along_width else all(isinstance(other, STRIDED_READERS + tables) for other in others)
    return joins[0] if fits else None
