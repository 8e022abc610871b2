"""Each operator of the exact graph as operations of the accelerator or steps of the firmware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
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

from tinsmith_backends.soc import software
from tinsmith_backends.soc.capabilities import in_hardware
from tinsmith_backends.soc.endings import Finish, finish, rounding, unchanged
from tinsmith_backends.soc.lower import Lowering
from tinsmith_backends.soc.memory_map import ENDING, OPCODE
from tinsmith_backends.soc.operations import Operation, View
from tinsmith_backends.soc.orders import channel_order, root, takes_any_order
from tinsmith_backends.soc.weights import Weights
from tinsmith_backends.soc.windows import ONE_BY_ONE, dense, filters, pool


def _convolution(state: Lowering, layer: Conv | BinaryConv | ShiftConv) -> None:
    """Dense, depthwise, or one group of channels after the other."""
    x, y = state.read(layer.inputs[0]), state.write(layer)
    group, weight = getattr(layer, "group", 1), layer.weight.astype(np.int16)
    ending, window = finish(layer.ending, layer.bias), _window(layer)
    if group == 1:
        weight, ending = _reordered(state, layer.output, weight, ending)
    if not in_hardware(layer, state.chip):
        state.add(software.convolution(layer, x, y, weight, ending, window))
    elif group == 1:
        state.add(dense(state.chip, layer, x, y, weight, ending, window, getattr(layer, "pad_value", 0)))
    elif group == x.channels == y.channels:
        state.add(filters(state.chip, layer, x, y, weight[:, 0], ending, window))
    else:
        inputs, outputs = x.channels // group, y.channels // group
        for part in range(group):
            chosen = slice(part * outputs, (part + 1) * outputs)
            here = replace(ending, bias=ending.bias[chosen], multiplier=ending.multiplier[chosen])
            x_part, y_part = x.part(part * inputs, inputs), y.part(part * outputs, outputs)
            state.add(dense(state.chip, layer, x_part, y_part, weight[chosen], here, window))


def _product(state: Lowering, layer: MatMul | BinaryMatMul | ShiftMatMul) -> None:
    """A convolution of a row of pixels, each by itself, or all at once, whose weights stand as they do."""
    name, rows = layer.inputs[0], layer.weight.astype(np.int16)
    x = state.views[root(state.graph, name)]
    pixels, channels = x.height * x.width, x.channels
    if takes_any_order(state.graph, layer):
        weight = rows[state.order(name)].reshape(1, pixels, channels, -1).transpose(3, 2, 0, 1)
        x = replace(x, height=1, width=pixels, row_bytes=pixels * x.pixel_bytes)
    else:
        weight = rows.T[:, :, None, None]
        row = state.packed(x.buffer, name, x.offset)
        count = row.height * row.width
        x = replace(row, height=1, width=count, row_bytes=count * row.pixel_bytes)
    y = state.write(layer)
    y = replace(y, height=1, width=y.height * y.width)
    weight, ending = _reordered(state, layer.output, weight, finish(layer.ending, layer.bias))
    if in_hardware(layer, state.chip):
        state.add(dense(state.chip, layer, x, y, weight, ending, ONE_BY_ONE))
    else:
        state.add(software.convolution(layer, x, y, weight, ending))


def _reordered(state: Lowering, name: str, weight: Weights, ending: Finish) -> tuple[Weights, Finish]:
    """Output channels in the order in which the readers of tensor `name` want them."""
    places = channel_order(state.tensor(name), state.order(name))
    if places is None:
        return weight, ending
    return weight[places], replace(ending, bias=ending.bias[places], multiplier=ending.multiplier[places])


def _average_pool(state: Lowering, layer: AveragePool) -> None:
    x, y = state.read(layer.inputs[0]), state.write(layer)
    ones = np.ones((x.channels, *layer.kernel), np.int16)
    ending = finish(layer.requant, np.zeros(x.channels, np.int32))
    state.add(filters(state.chip, layer, x, y, ones, ending, _window(layer), shared=True))


def _requantize(state: Lowering, layer: Requantize) -> None:
    x, y = state.read(layer.inputs[0]), state.write(layer)
    state.add(_each(state, layer, x, y, finish(layer.requant, np.zeros(x.channels, np.int32))))


def _each(state: Lowering, layer: Layer, x: View, y: View, ending: Finish) -> Operation:
    """Every value for itself, through an ending."""
    ones = np.ones((x.channels, 1, 1), np.int16)
    return filters(state.chip, layer, x, y, ones, ending, ONE_BY_ONE, shared=True)


def _copied(state: Lowering, layer: Layer, x: View, y: View) -> Operation:
    """Every value as it is."""
    return _each(state, layer, x, y, unchanged(x.channels, *x.limits, x.zero))


def _binarize(state: Lowering, layer: Binarize) -> None:
    x, y = state.read(layer.inputs[0]), state.write(layer)
    signs = np.broadcast_to(layer.sign, (x.channels,)).astype(np.int16)[:, None, None]
    limit = np.broadcast_to(layer.limit, (x.channels,)).astype(np.int32)
    ending = finish(Threshold(limit), np.zeros(x.channels, np.int32))
    same = bool(np.all(signs == signs[0]))
    state.add(replace(filters(state.chip, layer, x, y, signs, ending, ONE_BY_ONE, shared=same), macs=0))


def _max_pool(state: Lowering, layer: MaxPool | BinaryMaxPool) -> None:
    """Of bytes, or of bits: 1 is -1, so that the maximum of eight channels a byte is the AND of bytes."""
    x, y = state.read(layer.inputs[0]), state.write(layer)
    if in_hardware(layer, state.chip):
        state.add(pool(state.chip, layer, x, y, _window(layer), layer.kernel))
    elif isinstance(layer, BinaryMaxPool) and x.bits == 1:
        state.add(software.bit_pool(layer, x, y))
    else:
        state.add(software.max_pool(layer, x, y))


def _add(state: Lowering, layer: Add) -> None:
    """Two rows of one descriptor: the values of a, and those of b."""
    a, b, y = state.read(layer.inputs[0]), state.read(layer.inputs[1]), state.write(layer)
    m_a, m_b = layer.multipliers
    numbers = {"in_signed": int(a.signed), "in2_signed": int(b.signed), "m_a": m_a, "m_b": m_b}
    numbers |= {"in2_zero": b.zero & 0xFF}
    numbers |= rounding(layer.requant)
    if not in_hardware(layer, state.chip):
        state.add(software.add(layer, a, b, y, numbers))
        return
    fields = {"opcode": OPCODE["ADD"], "channelwise": 1, "kh": 2, "kx_n": 1, "run_n": 1, "in_h": 2, "dil_y": 1}
    fields |= {"out_h": 1, "out_w": 1, "in_row_bytes": y.size, "length": y.size, "ending": ENDING["REQUANTIZE"]}
    fields |= {"pad_byte": a.zero & 0xFF}
    fields |= numbers
    none = np.zeros((0, 0, state.chip.pes, state.chip.lanes), np.int8), np.zeros((0, state.chip.pes, 2), np.int32)
    group = state.chip.vector
    state.add(Operation(layer.name, "add", a, b, y, fields, *none, group, ceil(y.size / group), 2))


def _piecewise(state: Lowering, layer: PiecewiseLinear) -> None:
    state.add(software.piecewise(layer, state.read(layer.inputs[0]), state.write(layer)))


def _table(state: Lowering, layer: Table) -> None:
    """Nothing, where the layer in front looks its results up; else a copy through the table, or the firmware."""
    if layer.output in state.views:
        return
    x, y = state.read(layer.inputs[0]), state.write(layer)
    state.add(_copied(state, layer, x, y) if in_hardware(layer, state.chip) else software.table(layer, x, y))


def _softmax(state: Lowering, layer: Softmax) -> None:
    state.add(software.softmax(layer, state.read(layer.inputs[0]), state.write(layer)))


def _arg_max(state: Lowering, layer: ArgMax) -> None:
    state.add(software.arg_max(layer, state.read(layer.inputs[0]), state.write(layer)))


def _concat(state: Lowering, layer: Concat) -> None:
    """Nothing for inputs that were written in their place; a copy of the others."""
    y = state.write(layer)
    for name in layer.inputs:
        x, place = state.read(name), replace(state.part(layer, name), buffer=y.buffer)
        if x != place:
            state.add(_copied(state, layer, x.bytes, place.bytes))


def _window(layer: Layer) -> dict[str, Any]:
    return {name: getattr(layer, name, ONE_BY_ONE[name]) for name in ONE_BY_ONE}


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
