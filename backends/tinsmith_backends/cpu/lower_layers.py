"""Layers that move no data or only move it, heads, and `HANDLERS`: how each kind of layer becomes steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinsmith.ir.exact import (
    AbsoluteSum,
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
    Multiply,
    PiecewiseLinear,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Softmax,
    Table,
    Transpose,
)

from tinsmith_backends.cpu import lower_elementwise, lower_weighted
from tinsmith_backends.cpu.bit_layout import Way, addresses, moves
from tinsmith_backends.cpu.layout import inverse, reorderable, row_major, transposed
from tinsmith_backends.cpu.lower import Lowering, element_of
from tinsmith_backends.cpu.lower_endings import int32
from tinsmith_backends.cpu.program import Head


def _concat(state: Lowering, layer: Concat) -> None:
    """Strided copies: in front of the axis nothing changes, from the axis on each input is one run of elements.

    Bits stay packed where all inputs are; the last axis of the stored order makes the rows.
    """
    y = state.tensor(layer.output)
    axis = layer.axis % len(y.shape)
    axes = (0, 2, 3, 1) if len(y.shape) == 4 else tuple(range(len(y.shape)))
    outer = int(np.prod([y.shape[a] for a in axes[: axes.index(axis)]]))
    packed = all(state.views[name].row for name in layer.inputs)
    row = y.shape[axes[-1]] if packed else 0
    places = addresses(int(np.prod(y.shape)), row).reshape(outer, -1)
    sources, ways, begin = [], [], 0
    for name in layer.inputs:
        x = state.tensor(name)
        x_row = x.shape[axes[-1]] if packed else 0
        run = int(np.prod(x.shape)) // outer
        target = places[:, begin : begin + run].reshape(-1)
        ways.append(Way(addresses(target.size, x_row), x_row, target, row))
        sources.append(state.in_order(name, transposed(x.shape, axes), layer, x_row).buffer)
        begin += run
    step = moves(ways)
    if step is None:
        raise ValueError(f"no loop nest joins the inputs of {layer.name}")
    view = state.make(layer.output, transposed(y.shape, axes), element_of(y), row=row)
    state.add(layer, tuple(sources), view.buffer, step)


def _reshape(state: Lowering, layer: Reshape) -> None:
    view = state.views[layer.inputs[0]]
    state.alias(layer.output, view, view.order)


def _transpose(state: Lowering, layer: Transpose) -> None:
    """The same elements in another order, unless no loop nest could make sense of that order any more."""
    x = state.tensor(layer.inputs[0])
    places = inverse(transposed(x.shape, layer.perm))
    view = state.views[x.name]
    if not reorderable(places[view.order]):
        view = state.in_order(x.name, row_major(x.shape), layer)
    state.alias(layer.output, view, places[view.order])


def _head(state: Lowering, layer: Softmax | ArgMax) -> None:
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    columns = x.shape[-1]
    source = state.in_order(x.name, row_major(x.shape), layer)
    constants = {"table": int32(layer.table)} if isinstance(layer, Softmax) else {}
    view = state.make(layer.output, row_major(y.shape), "float32" if isinstance(layer, Softmax) else "int64", "output")
    rows = int(np.prod(x.shape)) // columns
    head = Head("softmax" if isinstance(layer, Softmax) else "argmax", rows, columns)
    state.add(layer, (source.buffer,), view.buffer, head, constants=constants)


HANDLERS: dict[type[Layer], Callable[[Lowering, Any], None]] = {
    Conv: lower_weighted.conv,
    ShiftConv: lower_weighted.conv,
    BinaryConv: lower_weighted.binary_conv,
    MatMul: lower_weighted.matmul,
    ShiftMatMul: lower_weighted.matmul,
    BinaryMatMul: lower_weighted.binary_matmul,
    Add: lower_elementwise.add,
    Requantize: lower_elementwise.requantize,
    PiecewiseLinear: lower_elementwise.piecewise_linear,
    Multiply: lower_elementwise.multiply,
    AbsoluteSum: lower_elementwise.absolute_sum,
    Table: lower_elementwise.table,
    Binarize: lower_elementwise.binarize,
    AveragePool: lower_elementwise.average_pool,
    MaxPool: lower_elementwise.max_pool,
    BinaryMaxPool: lower_elementwise.binary_max_pool,
    Concat: _concat,
    Reshape: _reshape,
    Transpose: _transpose,
    Softmax: _head,
    ArgMax: _head,
}
"""Quantize and Dequantize are functions of their own in the artefact, not steps."""
