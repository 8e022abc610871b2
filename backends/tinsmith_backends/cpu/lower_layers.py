"""How each kind of layer becomes steps. One function a layer; `HANDLERS` lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinsmith.ir.exact import (
    Add,
    ArgMax,
    AveragePool,
    Concat,
    Conv,
    Layer,
    MatMul,
    MaxPool,
    Requantization,
    Requantize,
    Reshape,
    Softmax,
    Tensor,
    Transpose,
)

from tinsmith_backends.cpu.kernels.base import ConvShape, ElementShape, PoolShape, Shape, WeightedKernel
from tinsmith_backends.cpu.kernels.manifest import choose
from tinsmith_backends.cpu.layout import Order, inverse, nhwc, reorderable, row_major, transposed
from tinsmith_backends.cpu.lower import Lowering, offset, stored_zero_point
from tinsmith_backends.cpu.program import Call, Head, Move, Moves


def _clamp(requant: Requantization, output: Tensor) -> tuple[int, int, int, int]:
    """shift, y_zp, lo, hi of a kernel's signature, for the stored int8 value."""
    less = offset(output)
    return requant.shift, requant.zero_point - less, requant.lo - less, requant.hi - less


def _requantization(layer: Conv | MatMul) -> Requantization:
    if not isinstance(layer.ending, Requantization):
        raise TypeError(f"{layer.name} ends in a threshold")
    return layer.ending


def _int32(values: Any) -> bytes:
    return np.asarray(values, dtype="<i4").tobytes()


def _weighted(
    state: Lowering, layer: Conv | MatMul, kind: str, shape: ConvShape, weight: Any, x: str, order: Order
) -> None:
    """A step with weights, in the order (Cout, kh, kw, Cin / group); `order` is that of the output."""
    kernel = choose(kind, shape, state.isa)
    if not isinstance(kernel, WeightedKernel):
        raise TypeError(f"{kernel.name} packs no weights")
    zero_point = stored_zero_point(state.tensor(layer.inputs[0]))
    requant = _requantization(layer)
    multiplier = np.ascontiguousarray(np.broadcast_to(requant.multiplier, (shape.cout,)))
    packed = kernel.pack(np.ascontiguousarray(weight), layer.bias, multiplier, zero_point)
    view = state.make(layer.output, order)
    call = Call(kernel, (zero_point, *_clamp(requant, state.tensor(layer.output))))
    state.add(layer, (x,), view.buffer, call, constants=vars(packed))


def _conv(state: Lowering, layer: Conv) -> None:
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    cout, _, kh, kw = layer.weight.shape
    cin = x.shape[1]
    shape = ConvShape(
        h=x.shape[2],
        w=x.shape[3],
        cin=cin,
        ho=y.shape[2],
        wo=y.shape[3],
        cout=cout,
        kh=kh,
        kw=kw,
        stride_h=layer.strides[0],
        stride_w=layer.strides[1],
        top=layer.pads[0],
        left=layer.pads[1],
        dilation_h=layer.dilations[0],
        dilation_w=layer.dilations[1],
        group=layer.group,
        wide=_requantization(layer).wide,
    )
    kind = "depthwise" if layer.group == cin == cout and cin > 1 else "conv"
    source = state.in_order(x.name, nhwc(x.shape), layer)
    _weighted(state, layer, kind, shape, layer.weight.transpose(0, 2, 3, 1), source.buffer, nhwc(y.shape))


def _matmul(state: Lowering, layer: MatMul) -> None:
    """A product of M rows. Rows and columns may stand in any order: the weights follow the columns."""
    k, n = layer.weight.shape
    x = state.tensor(layer.inputs[0])
    found = _rows_and_columns(state.views[x.name].order, k)
    order = state.views[x.name].order if found is not None else row_major(x.shape)
    rows, columns = found or (row_major((order.size // k,)), row_major((k,)))
    source = state.in_order(x.name, order, layer)
    m = rows.size
    one_row = ConvShape(1, m, k, 1, m, n, 1, 1, 1, 1, 0, 0, 1, 1, 1, _requantization(layer).wide)
    weight = layer.weight[columns].T.reshape(n, 1, 1, k)
    _weighted(state, layer, "matmul", one_row, weight, source.buffer, (rows[:, None] * n + np.arange(n)).ravel())


def _rows_and_columns(order: Order, k: int) -> tuple[Order, Order] | None:
    """Orders of the rows and of the columns of an (M, k) matrix that is stored row after row; None if it is not."""
    matrix = order.reshape(-1, k)
    rows, columns = matrix[:, 0] // k, matrix[0] % k
    return (rows, columns) if np.array_equal(matrix, rows[:, None] * k + columns) else None


def _elements(state: Lowering, name: str, *, per_channel: bool, wide: bool) -> ElementShape:
    shape = state.tensor(name).shape
    channels = shape[1] if len(shape) == 4 else shape[-1]
    return ElementShape(int(np.prod(shape)) // channels, channels, per_channel, wide)


def _add(state: Lowering, layer: Add) -> None:
    a, b = (state.tensor(name) for name in layer.inputs)
    first = state.views[a.name]
    second = state.in_order(b.name, first.order, layer)
    kernel = choose("add", _elements(state, layer.output, per_channel=False, wide=False), state.isa)
    scalars = (stored_zero_point(a), stored_zero_point(b), *_clamp(layer.requant, state.tensor(layer.output)))
    view = state.make(layer.output, first.order)
    constants = {"multiplier": _int32(layer.multipliers)}
    state.add(layer, (first.buffer, second.buffer), view.buffer, Call(kernel, scalars), constants=constants)


def _requantize(state: Lowering, layer: Requantize) -> None:
    x = state.tensor(layer.inputs[0])
    per_channel = layer.requant.multiplier.size > 1
    order = nhwc(x.shape) if per_channel else state.views[x.name].order
    source = state.in_order(x.name, order, layer)
    shape = _elements(state, x.name, per_channel=per_channel, wide=layer.requant.wide)
    kernel = choose("requantize", shape, state.isa)
    view = state.make(layer.output, order)
    call = Call(kernel, (stored_zero_point(x), *_clamp(layer.requant, state.tensor(layer.output))))
    constants = {"multiplier": _int32(layer.requant.multiplier)}
    state.add(layer, (source.buffer,), view.buffer, call, constants=constants)


def _pool_shape(state: Lowering, layer: AveragePool | MaxPool, dilations: tuple[int, int], wide: bool) -> PoolShape:
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    return PoolShape(
        h=x.shape[2],
        w=x.shape[3],
        c=x.shape[1],
        ho=y.shape[2],
        wo=y.shape[3],
        kh=layer.kernel[0],
        kw=layer.kernel[1],
        stride_h=layer.strides[0],
        stride_w=layer.strides[1],
        top=layer.pads[0],
        left=layer.pads[1],
        dilation_h=dilations[0],
        dilation_w=dilations[1],
        wide=wide,
    )


def _pool(state: Lowering, layer: AveragePool | MaxPool, kind: str, shape: Shape, scalars: tuple[int, ...]) -> None:
    x = state.tensor(layer.inputs[0])
    source = state.in_order(x.name, nhwc(x.shape), layer)
    view = state.make(layer.output, nhwc(state.tensor(layer.output).shape))
    constants = {"multiplier": _int32(layer.requant.multiplier)} if isinstance(layer, AveragePool) else {}
    call = Call(choose(kind, shape, state.isa), scalars)
    state.add(layer, (source.buffer,), view.buffer, call, constants=constants)


def _average_pool(state: Lowering, layer: AveragePool) -> None:
    shape = _pool_shape(state, layer, (1, 1), layer.requant.wide)
    zero_point = stored_zero_point(state.tensor(layer.inputs[0]))
    scalars = (zero_point, *_clamp(layer.requant, state.tensor(layer.output)))
    _pool(state, layer, "averagepool", shape, scalars)


def _max_pool(state: Lowering, layer: MaxPool) -> None:
    _pool(state, layer, "maxpool", _pool_shape(state, layer, layer.dilations, False), ())


def _concat(state: Lowering, layer: Concat) -> None:
    """Strided copies: in front of the axis nothing changes, from the axis on each input is one run of bytes."""
    y = state.tensor(layer.output)
    axis = layer.axis % len(y.shape)
    axes = (0, 2, 3, 1) if len(y.shape) == 4 else tuple(range(len(y.shape)))
    outer = int(np.prod([y.shape[a] for a in axes[: axes.index(axis)]]))
    row = int(np.prod(y.shape)) // outer
    sources, copies, begin = [], [], 0
    for number, name in enumerate(layer.inputs):
        x = state.tensor(name)
        run = int(np.prod(x.shape)) // outer
        copies.append(Move(number, ((outer, run, row), (run, 1, 1)), begin))
        sources.append(state.in_order(name, transposed(x.shape, axes), layer).buffer)
        begin += run
    view = state.make(layer.output, transposed(y.shape, axes))
    state.add(layer, tuple(sources), view.buffer, Moves(tuple(copies)))


def _reshape(state: Lowering, layer: Reshape) -> None:
    view = state.views[layer.inputs[0]]
    state.alias(layer.output, view.buffer, view.order)


def _transpose(state: Lowering, layer: Transpose) -> None:
    """The same bytes in another order, unless no loop nest could make sense of that order any more."""
    x = state.tensor(layer.inputs[0])
    places = inverse(transposed(x.shape, layer.perm))
    view = state.views[x.name]
    if not reorderable(places[view.order]):
        view = state.in_order(x.name, row_major(x.shape), layer)
    state.alias(layer.output, view.buffer, places[view.order])


def _head(state: Lowering, layer: Softmax | ArgMax) -> None:
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    columns = x.shape[-1]
    source = state.in_order(x.name, row_major(x.shape), layer)
    constants = {"table": _int32(layer.table)} if isinstance(layer, Softmax) else {}
    view = state.make(layer.output, row_major(y.shape), "float32" if isinstance(layer, Softmax) else "int64", "output")
    rows = int(np.prod(x.shape)) // columns
    head = Head("softmax" if isinstance(layer, Softmax) else "argmax", rows, columns)
    state.add(layer, (source.buffer,), view.buffer, head, constants=constants)


HANDLERS: dict[type[Layer], Callable[[Lowering, Any], None]] = {
    Conv: _conv,
    MatMul: _matmul,
    Add: _add,
    Requantize: _requantize,
    AveragePool: _average_pool,
    MaxPool: _max_pool,
    Concat: _concat,
    Reshape: _reshape,
    Transpose: _transpose,
    Softmax: _head,
    ArgMax: _head,
}
"""Quantize and Dequantize are functions of their own in the artefact, not steps."""
