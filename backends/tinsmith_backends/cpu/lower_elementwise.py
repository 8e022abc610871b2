"""Layers that work element by element, or pool: additions, products, two-piece functions, thresholds, and so on."""

from __future__ import annotations

import numpy as np
from tinsmith.ir.exact import (
    AbsoluteSum,
    Add,
    AveragePool,
    Binarize,
    BinaryMaxPool,
    MaxPool,
    Multiply,
    PiecewiseLinear,
    Requantize,
    Table,
)

from tinsmith_backends.cpu.bit_layout import Way, addresses, moves
from tinsmith_backends.cpu.kernels.base import ElementShape, MultiplyShape, PoolShape, Shape
from tinsmith_backends.cpu.kernels.bits import WORD, pack_rows
from tinsmith_backends.cpu.kernels.manifest import choose
from tinsmith_backends.cpu.layout import Order, inverse, nhwc, transposed
from tinsmith_backends.cpu.lower import Lowering, offset, stored_zero_point
from tinsmith_backends.cpu.lower_endings import channels_last, clamp, end_of, int32
from tinsmith_backends.cpu.program import Call


def _elements(state: Lowering, name: str, *, per_channel: bool, wide: bool) -> ElementShape:
    shape = state.tensor(name).shape
    channels = shape[1] if len(shape) == 4 else shape[-1]
    return ElementShape(int(np.prod(shape)) // channels, channels, per_channel, wide)


def add(state: Lowering, layer: Add) -> None:
    """Both inputs in the order of the first."""
    a, b = (state.tensor(name) for name in layer.inputs)
    first = state.as_bytes(a.name, layer)
    second = state.in_order(b.name, first.order, layer)
    kernel = choose("add", _elements(state, layer.output, per_channel=False, wide=False), state.isa)
    scalars = (stored_zero_point(a), stored_zero_point(b), *clamp(layer.requant, state.tensor(layer.output)))
    view = state.make(layer.output, first.order)
    constants = {"multiplier": int32(layer.multipliers)}
    state.add(layer, (first.buffer, second.buffer), view.buffer, Call(kernel, scalars), constants=constants)


def requantize(state: Lowering, layer: Requantize) -> None:
    """In the order in which the tensor stands, unless channels differ."""
    x = state.tensor(layer.inputs[0])
    per_channel = layer.requant.multiplier.size > 1
    order = nhwc(x.shape) if per_channel else state.views[x.name].order
    source = state.in_order(x.name, order, layer)
    shape = _elements(state, x.name, per_channel=per_channel, wide=layer.requant.wide)
    kernel = choose("requantize", shape, state.isa)
    view = state.make(layer.output, order)
    call = Call(kernel, (stored_zero_point(x), *clamp(layer.requant, state.tensor(layer.output))))
    constants = {"multiplier": int32(layer.requant.multiplier)}
    state.add(layer, (source.buffer,), view.buffer, call, constants=constants)


def _pool_shape(
    state: Lowering, layer: AveragePool | MaxPool | BinaryMaxPool, dilations: tuple[int, int], wide: bool
) -> PoolShape:
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
    constants = {"multiplier": int32(layer.requant.multiplier)} if isinstance(layer, AveragePool) else {}
    call = Call(choose(kind, shape, state.isa), scalars)
    state.add(layer, (source.buffer,), view.buffer, call, constants=constants)


def average_pool(state: Lowering, layer: AveragePool) -> None:
    """Channels last."""
    shape = _pool_shape(state, layer, (1, 1), layer.requant.wide)
    zero_point = stored_zero_point(state.tensor(layer.inputs[0]))
    scalars = (zero_point, *clamp(layer.requant, state.tensor(layer.output)))
    _pool(state, layer, "averagepool", shape, scalars)


def max_pool(state: Lowering, layer: MaxPool) -> None:
    """Channels last."""
    _pool(state, layer, "maxpool", _pool_shape(state, layer, layer.dilations, False), ())


def binary_max_pool(state: Lowering, layer: BinaryMaxPool) -> None:
    """Packed, channels last."""
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    shape = _pool_shape(state, layer, layer.dilations, False)
    source = state.in_order(x.name, nhwc(x.shape), layer, row=shape.c)
    view = state.make(layer.output, nhwc(y.shape), row=shape.c)
    kernel = choose("binarymaxpool", shape, state.isa)
    flip = pack_rows(np.broadcast_to(layer.sign, (shape.c,)))
    state.add(layer, (source.buffer,), view.buffer, Call(kernel, ()), constants={"flip": flip.tobytes()})


def binarize(state: Lowering, layer: Binarize) -> None:
    """bit = (x < limit) ^ flip on the stored x; a limit that no int8 holds becomes a constant channel."""
    x = state.tensor(layer.inputs[0])
    source, channels = channels_last(state, x.name, layer.axis, layer)
    zero_point, sign = stored_zero_point(x), layer.sign[channels].astype(np.int64)
    limit = np.where(sign > 0, zero_point + layer.limit[channels], zero_point - layer.limit[channels] + 1)
    always = limit > 127
    flip = pack_rows(np.where((sign < 0) ^ always, -1, 1))
    limit = np.where(always, -128, np.maximum(limit, -128)).astype(np.int8)
    padded = np.pad(limit, (0, -limit.size % WORD))
    kernel = choose("binarize", ElementShape(source.order.size // limit.size, limit.size, True, False), state.isa)
    view = state.make(layer.output, source.order, row=limit.size)
    constants = {"limit": padded.tobytes(), "flip": flip.tobytes()}
    state.add(layer, (source.buffer,), view.buffer, Call(kernel, ()), constants=constants)


def piecewise_linear(state: Lowering, layer: PiecewiseLinear) -> None:
    """Constants follow the channels."""
    x, less = state.tensor(layer.inputs[0]), offset(state.tensor(layer.output))
    source, channels = channels_last(state, x.name, layer.axis, layer)
    shape = ElementShape(source.order.size // channels.size, channels.size, True, False)
    kernel = choose("piecewiselinear", shape, state.isa)
    view = state.make(layer.output, source.order)
    constants = {
        "knee": int32(layer.knee[channels]),
        "multiplier": int32(layer.multiplier[:, channels]),
        "offset": int32(layer.offset[:, channels]),
    }
    ends = (layer.zero_point - less, layer.lo - less, layer.hi - less)
    call = Call(kernel, (stored_zero_point(x), layer.shift, *ends))
    state.add(layer, (source.buffer,), view.buffer, call, constants=constants)


def multiply(state: Lowering, layer: Multiply) -> None:
    """b has one value for all or one a pixel, or is written out for every element."""
    a = state.tensor(layer.inputs[0])
    source, channels = channels_last(state, a.name, layer.axis, layer)
    b_shape = layer.factor.shape if layer.factor is not None else state.tensor(layer.inputs[1]).shape
    b_shape = (1,) * (len(a.shape) - len(b_shape)) + b_shape
    # The position in b of the factor of each stored element of a, or of the first of those that share one.
    positions = np.broadcast_to(np.arange(np.prod(b_shape)).reshape(b_shape), a.shape).reshape(-1)[source.order]
    shared = positions.size if np.prod(b_shape) == 1 else channels.size if b_shape[layer.axis] == 1 else 1
    positions = positions[::shared]
    end = end_of(layer.ending, layer.bias[channels], state.tensor(layer.output))
    pixels = source.order.size // channels.size
    kernel = choose("multiply", MultiplyShape(pixels, channels.size, positions.size, **end.flags), state.isa)
    constants = {"bias": int32(end.bias), "multiplier": b"" if end.packed else int32(end.multiplier)}
    inputs, b_zero = [source.buffer], 0
    if layer.factor is not None:
        constants["factor"] = layer.factor.reshape(-1)[positions].tobytes()
    else:
        inputs.append(_spread(state, layer, positions))
        b_zero = stored_zero_point(state.tensor(layer.inputs[1]))
    view = state.make(layer.output, source.order, row=channels.size if end.packed else 0)
    call = Call(kernel, (stored_zero_point(a), b_zero, *end.scalars))
    state.add(layer, tuple(inputs), view.buffer, call, constants=constants)


def _spread(state: Lowering, layer: Multiply, positions: Order) -> str:
    """The buffer with the values of b at these positions, one after the other."""
    name = layer.inputs[1]
    view = state.as_bytes(name, layer)
    places = inverse(view.order)[positions]
    if np.array_equal(places, np.arange(view.order.size)):
        return view.buffer
    step = moves([Way(places, 0, addresses(places.size, 0), 0)])
    if step is None:
        view = state.in_order(name, np.arange(view.order.size), layer)
        step = moves([Way(positions, 0, addresses(positions.size, 0), 0)])
    if step is None:
        raise ValueError(f"no loop nest spreads {name}")
    return state.copy_by(step, view, positions.size, name, layer)


def table(state: Lowering, layer: Table) -> None:
    """In the order in which the tensor stands; the table is turned to begin with what int8 begins with."""
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    source = state.as_bytes(x.name, layer)
    kernel = choose("table", _elements(state, x.name, per_channel=False, wide=False), state.isa)
    view = state.make(layer.output, source.order)
    first = offset(x) - 128  # the stored value that -128 stands for
    results = (layer.table[np.arange(first, first + 256) % 256].astype(np.int64) - offset(y)).astype(np.int8)
    state.add(layer, (source.buffer,), view.buffer, Call(kernel, ()), constants={"results": results.tobytes()})


def absolute_sum(state: Lowering, layer: AbsoluteSum) -> None:
    """With the axes of the sum innermost."""
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    summed = {axis % len(x.shape) for axis in layer.axes}
    axes = (*(a for a in range(len(x.shape)) if a not in summed), *sorted(summed))
    count = int(np.prod([x.shape[a] for a in summed]))
    order = transposed(x.shape, axes) if count < int(np.prod(x.shape)) else state.views[x.name].order
    source = state.in_order(x.name, order, layer)
    shape = ElementShape(source.order.size // count, count, False, layer.requant.wide)
    kernel = choose("absolutesum", shape, state.isa)
    view = state.make(layer.output, transposed(y.shape, axes))
    call = Call(kernel, (stored_zero_point(x), *clamp(layer.requant, y)))
    state.add(layer, (source.buffer,), view.buffer, call, constants={"multiplier": int32(layer.requant.multiplier)})
