"""Layers with weights as steps: convolutions and products of bytes, of 16 bits, of bits, and by powers of two."""

from __future__ import annotations

from typing import Any

import numpy as np
from tinsmith.ir.exact import BinaryConv, BinaryMatMul, Conv, MatMul, ShiftConv, ShiftMatMul

from tinsmith_backends.cpu.kernels.base import (
    BinaryConvShape,
    Conv16Shape,
    ConvShape,
    ShiftConv16Shape,
    ShiftConvShape,
    WeightedKernel,
)
from tinsmith_backends.cpu.kernels.bits import MOST, WORD, words
from tinsmith_backends.cpu.kernels.manifest import choose
from tinsmith_backends.cpu.layout import Order, nhwc, row_major
from tinsmith_backends.cpu.lower import Lowering, element_of, stored_zero_point
from tinsmith_backends.cpu.lower_endings import End, end_of, rows_and_columns
from tinsmith_backends.cpu.program import Call, View

Windowed = Conv | ShiftConv | BinaryConv
Weighted = Windowed | MatMul | ShiftMatMul | BinaryMatMul


def conv(state: Lowering, layer: Conv | ShiftConv) -> None:
    """A convolution of bytes or 16 bits, channels last."""
    x, end = state.tensor(layer.inputs[0]), _end(state, layer)
    shape = _shape(state, layer, **_geometry(state, layer), group=layer.group, **end.flags)
    kind = _kind(shape, "depthwise" if layer.group == shape.cin == shape.cout > 1 else "conv")
    source = state.in_order(x.name, nhwc(x.shape), layer)
    order = nhwc(state.tensor(layer.output).shape)
    _step(state, layer, kind, shape, layer.weight.transpose(0, 2, 3, 1), end, source, order)


def matmul(state: Lowering, layer: MatMul | ShiftMatMul) -> None:
    """A product of M rows of bytes or 16 bits, in any order of rows and columns: the weights follow the columns."""
    k, n = layer.weight.shape
    x, end = state.tensor(layer.inputs[0]), _end(state, layer)
    found = rows_and_columns(state.views[x.name].order, k)
    order = state.views[x.name].order if found is not None else row_major(x.shape)
    rows, columns = found or (row_major((order.size // k,)), row_major((k,)))
    source = state.in_order(x.name, order, layer)
    shape = _shape(state, layer, **_one_row(rows.size, k, n), group=1, **end.flags)
    weight = layer.weight[columns].T.reshape(n, 1, 1, k)
    _step(state, layer, _kind(shape, "matmul"), shape, weight, end, source, _rows_of(rows, n))


def binary_conv(state: Lowering, layer: BinaryConv) -> None:
    """A convolution of bits, packed channels last."""
    x, end = state.tensor(layer.inputs[0]), _end(state, layer)
    shape = BinaryConvShape(**_geometry(state, layer), pad_value=layer.pad_value, **end.flags)
    source = state.in_order(x.name, nhwc(x.shape), layer, row=shape.cin)
    order = nhwc(state.tensor(layer.output).shape)
    _step(state, layer, "binaryconv", shape, layer.weight.transpose(0, 2, 3, 1), end, source, order)


def binary_matmul(state: Lowering, layer: BinaryMatMul) -> None:
    """A product of M rows of bits, as a convolution over an image of one row.

    A row may consist of several packed rows with unused bits between them, as a flattened image does: these are then
    the pixels of a window that moves by its own width.
    """
    k, n = layer.weight.shape
    x, end = state.tensor(layer.inputs[0]), _end(state, layer)
    view = state.views[x.name]
    found = rows_and_columns(view.order, k)
    whole = found is not None and view.row > 0 and k % view.row == 0
    whole = whole and k // view.row * words(view.row) * WORD <= MOST
    row = view.row if whole else k
    source = state.in_order(x.name, view.order if found is not None else row_major(x.shape), layer, row)
    rows, columns = found or (row_major((view.order.size // k,)), row_major((k,)))
    channels = k if row % WORD == 0 else row
    geometry = {**_one_row(rows.size, channels, n), "kw": k // channels, "stride_w": k // channels}
    geometry["w"] *= k // channels
    shape = BinaryConvShape(**geometry, pad_value=1, **end.flags)
    weight = layer.weight[columns].T.reshape(n, 1, k // channels, channels)
    _step(state, layer, "binaryconv", shape, weight, end, source, _rows_of(rows, n))


def _end(state: Lowering, layer: Weighted) -> End:
    return end_of(layer.ending, layer.bias, state.tensor(layer.output))


def _shape(state: Lowering, layer: Conv | MatMul | ShiftConv | ShiftMatMul, **fields: Any) -> ConvShape:
    widths = {
        f"{pointer}_bits": state.tensor(name).bits for pointer, name in (("x", layer.inputs[0]), ("y", layer.output))
    }
    wide = 16 in widths.values()
    if wide:
        fields |= {key: max(8, bits) for key, bits in widths.items()}
    if isinstance(layer, ShiftConv | ShiftMatMul):
        return (ShiftConv16Shape if wide else ShiftConvShape)(**fields, bits=layer.bits)
    return (Conv16Shape if wide else ConvShape)(**fields)


def _kind(shape: ConvShape, plain: str) -> str:
    """The kind of kernel for `shape`; `plain` is that of bytes and real weights."""
    if isinstance(shape, ShiftConvShape):
        return "shiftconv16" if isinstance(shape, ShiftConv16Shape) else "shiftconv"
    return "conv16" if isinstance(shape, Conv16Shape) else plain


def _geometry(state: Lowering, layer: Windowed) -> dict[str, Any]:
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    cout, _, kh, kw = layer.weight.shape
    return {
        "h": x.shape[2],
        "w": x.shape[3],
        "cin": x.shape[1],
        "ho": y.shape[2],
        "wo": y.shape[3],
        "cout": cout,
        "kh": kh,
        "kw": kw,
        "stride_h": layer.strides[0],
        "stride_w": layer.strides[1],
        "top": layer.pads[0],
        "left": layer.pads[1],
        "dilation_h": layer.dilations[0],
        "dilation_w": layer.dilations[1],
    }


def _one_row(m: int, k: int, n: int) -> dict[str, Any]:
    """The geometry of a product of M rows: a 1×1 convolution over a 1×M image."""
    ones = dict.fromkeys(("h", "ho", "kh", "kw", "stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
    return {**ones, "w": m, "wo": m, "cin": k, "cout": n, "top": 0, "left": 0}


def _rows_of(rows: Order, n: int) -> Order:
    return (rows[:, None] * n + np.arange(n)).ravel()


def _step(
    state: Lowering, layer: Weighted, kind: str, shape: Any, weight: Any, end: End, source: View, order: Order
) -> None:
    """The kernel call, with weights in the order (Cout, kh, kw, Cin / group); `order` is that of the output."""
    kind = "convsum" if end.whole else kind
    kernel = choose(kind, shape, state.isa)
    if not isinstance(kernel, WeightedKernel):
        raise TypeError(f"{kernel.name} packs no weights")
    zero_point = stored_zero_point(state.tensor(layer.inputs[0]))
    packed = kernel.pack(np.ascontiguousarray(weight), end.bias, end.multiplier, zero_point)
    constants = {**vars(packed), **({"multiplier": b""} if end.packed else {})}
    row = shape.cout if end.packed else 0
    view = state.make(layer.output, order, element_of(state.tensor(layer.output)), row=row)
    scalars = end.scalars if kind == "binaryconv" else (zero_point, *end.scalars)
    state.add(layer, (source.buffer,), view.buffer, Call(kernel, scalars), constants=constants)
