"""Each operator of the exact graph as operations of the accelerator or steps of the firmware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil, prod
from typing import Any

import numpy as np
from tinsmith.ir.exact import (
    Add,
    ArgMax,
    AveragePool,
    Binarize,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    Int8Array,
    Layer,
    MatMul,
    MaxPool,
    PiecewiseLinear,
    Requantize,
    ShiftConv,
    ShiftMatMul,
    Softmax,
    Table,
    Threshold,
)

from tinsmith_backends.soc.endings import Finish, finish, rounding, unchanged
from tinsmith_backends.soc.lower import Lowering, part_of
from tinsmith_backends.soc.memory_map import ENDING, OPCODE, SOFT_OPERATOR
from tinsmith_backends.soc.operations import Operation, Software
from tinsmith_backends.soc.orders import channel_order, root, takes_any_order
from tinsmith_backends.soc.windows import ONE_BY_ONE, dense, filters, taps


def _convolution(state: Lowering, layer: Conv | BinaryConv | ShiftConv) -> None:
    """Dense, depthwise, or one group of channels after the other."""
    x, y = state.read(layer.inputs[0]), state.write(layer)
    group, weight = getattr(layer, "group", 1), layer.weight.astype(np.int8)
    pad_byte = getattr(layer, "pad_value", 0) & 0xFF
    ending = finish(layer.ending, layer.bias)
    window = {name: getattr(layer, name) for name in ONE_BY_ONE}
    if group == x.channels == y.channels and group > 1:
        state.add(filters(state.chip, layer, x, y, weight[:, 0], ending, window))
        return
    if group == 1:
        weight, ending = _reordered(state, layer.output, weight, ending)
    inputs, outputs = x.channels // group, y.channels // group
    for part in range(group):
        chosen = slice(part * outputs, (part + 1) * outputs)
        here = replace(ending, bias=ending.bias[chosen], multiplier=ending.multiplier[chosen])
        x_part, y_part = x.part(part * inputs, inputs), y.part(part * outputs * ending.value_bytes, outputs)
        state.add(dense(state.chip, layer, x_part, y_part, weight[chosen], here, window, pad_byte=pad_byte))


def _product(state: Lowering, layer: MatMul | BinaryMatMul | ShiftMatMul) -> None:
    """A 1x1 convolution of a row of pixels; the weight's rows stand as the input's values do."""
    name = layer.inputs[0]
    rows = layer.weight.astype(np.int8)
    if takes_any_order(state.graph, layer):
        rows = rows[state.order(name)]
    weight = rows.T[:, :, None, None]
    inputs, pixels = weight.shape[1], state.tensor(name).shape
    whole = state.views[root(state.graph, name)]
    count = prod(pixels) // inputs
    x = replace(whole, height=1, width=count, channels=inputs, row_bytes=count * inputs, pixel_bytes=inputs)
    y = state.write(layer)
    y = replace(y, height=1, width=count)
    weight, ending = _reordered(state, layer.output, weight, finish(layer.ending, layer.bias))
    state.add(dense(state.chip, layer, x, y, weight, ending, ONE_BY_ONE))


def _reordered(state: Lowering, name: str, weight: Int8Array, ending: Finish) -> tuple[Int8Array, Finish]:
    """Output channels in the order in which the readers of tensor `name` want them."""
    places = channel_order(state.tensor(name), state.order(name))
    if places is None:
        return weight, ending
    return weight[places], replace(ending, bias=ending.bias[places], multiplier=ending.multiplier[places])


def _average_pool(state: Lowering, layer: AveragePool) -> None:
    x, y = state.read(layer.inputs[0]), state.write(layer)
    ones = np.ones((x.channels, *layer.kernel), np.int8)
    ending = finish(layer.requant, np.zeros(x.channels, np.int32))
    window = {"strides": layer.strides, "pads": layer.pads, "dilations": (1, 1)}
    state.add(filters(state.chip, layer, x, y, ones, ending, window, shared=True))


def _requantize(state: Lowering, layer: Requantize) -> None:
    x, y = state.read(layer.inputs[0]), state.write(layer)
    ones = np.ones((x.channels, 1, 1), np.int8)
    ending = finish(layer.requant, np.zeros(x.channels, np.int32))
    state.add(filters(state.chip, layer, x, y, ones, ending, ONE_BY_ONE, shared=True))


def _binarize(state: Lowering, layer: Binarize) -> None:
    x, y = state.read(layer.inputs[0]), state.write(layer)
    signs = np.broadcast_to(layer.sign, (x.channels,)).astype(np.int8)[:, None, None]
    limit = np.broadcast_to(layer.limit, (x.channels,)).astype(np.int32)
    ending = finish(Threshold(limit), np.zeros(x.channels, np.int32))
    state.add(filters(state.chip, layer, x, y, signs, ending, ONE_BY_ONE))


def _max_pool(state: Lowering, layer: MaxPool | BinaryMaxPool) -> None:
    """In hardware, or by the firmware where the chip lacks it."""
    x, y = state.read(layer.inputs[0]), state.write(layer)
    lo, hi = (-128, 127) if x.signed else (0, 255)
    kh, kw = layer.kernel
    if not state.chip.has("maxpool"):
        fields = {"operator": SOFT_OPERATOR["MAXPOOL"], "kh": kh, "kw": kw, "in_signed": int(x.signed)}
        state.add(Software(layer.name, x, None, y, {**fields, **_software_window(layer), "lo": lo, "hi": hi}))
        return
    ending = unchanged(x.channels, lo, hi)
    operation = taps(state.chip, layer, x, y, np.zeros((x.channels, 0, 0), np.int8), ending, _window(layer), (kh, kw))
    fields = {**operation.fields, "opcode": OPCODE["MAXPOOL"], "pad_byte": lo & 0xFF, "w_per_group": 0}
    state.add(replace(operation, kernel="max pool", fields=fields, macs=0))


def _add(state: Lowering, layer: Add) -> None:
    """Two rows of one descriptor: the values of a, and those of b."""
    a, b, y = state.read(layer.inputs[0]), state.read(layer.inputs[1]), state.write(layer)
    m_a, m_b = layer.multipliers
    numbers = {"in_signed": int(a.signed), "in2_signed": int(b.signed), "m_a": m_a, "m_b": m_b}
    numbers |= rounding(layer.requant)
    if not state.chip.has("add"):
        shape = {"operator": SOFT_OPERATOR["ADD"], "out_h": y.height, "out_w": y.width, "channels": y.channels}
        state.add(Software(layer.name, a, b, y, {**shape, **numbers}))
        return
    fields = {"opcode": OPCODE["ADD"], "channelwise": 1, "kh": 2, "kx_n": 1, "run_n": 1, "in_h": 2, "dil_y": 1}
    fields |= {"out_h": 1, "out_w": 1, "in_row_bytes": y.size, "length": y.size, "ending": ENDING["REQUANTIZE"]}
    fields |= numbers
    none = np.zeros((0, 0, state.chip.pes, state.chip.lanes), np.int8), np.zeros((0, state.chip.pes, 2), np.int32)
    group = state.chip.vector
    state.add(Operation(layer.name, "add", a, b, y, fields, *none, group, ceil(y.size / group), 2))


def _piecewise(state: Lowering, layer: PiecewiseLinear) -> None:
    """By the firmware: a table of knee, two multipliers and two offsets a channel."""
    x, y = state.read(layer.inputs[0]), state.write(layer)
    columns = (layer.knee, layer.multiplier[0], layer.offset[0], layer.multiplier[1], layer.offset[1])
    table = np.stack([np.broadcast_to(column, (x.channels,)) for column in columns], axis=1).astype(np.int32)
    fields = {"operator": SOFT_OPERATOR["PIECEWISE"], "in_signed": int(x.signed), **rounding(layer.rounding)}
    fields |= {"out_h": y.height, "out_w": y.width, "channels": y.channels}
    state.add(Software(layer.name, x, None, y, fields, table))


def _table(state: Lowering, layer: Table) -> None:
    """Nothing, where the layer in front looks its results up; else a copy through the table, or the firmware."""
    if layer.output in state.views:
        return
    x, y = state.read(layer.inputs[0]), state.write(layer)
    if not state.chip.has("table"):
        fields = {"operator": SOFT_OPERATOR["TABLE"], "out_h": y.height, "out_w": y.width, "channels": y.channels}
        state.add(Software(layer.name, x, None, y, fields, layer.table.view("<i4")))
        return
    ones = np.ones((x.channels, 1, 1), np.int8)
    ending = unchanged(x.channels, *((-128, 127) if x.signed else (0, 255)))
    state.add(filters(state.chip, layer, x, y, ones, ending, ONE_BY_ONE, shared=True))


def _softmax(state: Lowering, layer: Softmax) -> None:
    """By the firmware: a table of exponentials."""
    x, y = state.read(layer.inputs[0]), state.write(layer)
    fields = {"operator": SOFT_OPERATOR["SOFTMAX"], "in_signed": int(x.signed), "in_h": x.width}
    state.add(Software(layer.name, x, None, y, fields, layer.table))


def _arg_max(state: Lowering, layer: ArgMax) -> None:
    """By the firmware; the classes stand in one row."""
    x, y = state.read(layer.inputs[0]), state.write(layer)
    fields = {"operator": SOFT_OPERATOR["ARGMAX"], "in_signed": int(x.signed), "in_h": x.width, "channels": x.channels}
    state.add(Software(layer.name, x, None, y, fields))


def _concat(state: Lowering, layer: Concat) -> None:
    """Nothing for inputs that were written in their place; a copy of the others."""
    y = state.write(layer)
    for name in layer.inputs:
        x, place = state.read(name), replace(part_of(state.graph, layer, name), buffer=y.buffer)
        if x != place:
            ones = np.ones((x.channels, 1, 1), np.int8)
            ending = unchanged(x.channels, *((-128, 127) if x.signed else (0, 255)))
            state.add(filters(state.chip, layer, x, place, ones, ending, ONE_BY_ONE, shared=True))


def _window(layer: Layer) -> dict[str, Any]:
    return {name: getattr(layer, name, ONE_BY_ONE[name]) for name in ONE_BY_ONE}


def _software_window(layer: MaxPool | BinaryMaxPool) -> dict[str, int]:
    (stride_y, stride_x), (dil_y, dil_x) = layer.strides, layer.dilations
    top, left = layer.pads[:2]
    names = ("stride_y", "stride_x", "pad_top", "pad_left", "dil_y", "dil_x")
    return dict(zip(names, (stride_y, stride_x, top, left, dil_y, dil_x), strict=True))


HANDLERS: Mapping[type[Layer], Callable[[Lowering, Any], None]] = {
    **dict.fromkeys((Conv, BinaryConv, ShiftConv), _convolution),
    **dict.fromkeys((MatMul, BinaryMatMul, ShiftMatMul), _product),
    **dict.fromkeys((MaxPool, BinaryMaxPool), _max_pool),
    AveragePool: _average_pool,
    Requantize: _requantize,
    Binarize: _binarize,
    Add: _add,
    PiecewiseLinear: _piecewise,
    Table: _table,
    Concat: _concat,
    Softmax: _softmax,
    ArgMax: _arg_max,
}
"""What lowers each operator."""
STRIDED_WRITERS = (Conv, BinaryConv, ShiftConv, AveragePool, Requantize, Binarize)
"""Layers whose output may have gaps between its pixels."""
STRIDED_READERS = (Conv, BinaryConv, ShiftConv, AveragePool, Requantize, Binarize)
"""Layers whose input may have gaps between its pixels."""
