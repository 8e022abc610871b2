"""How each kind of layer becomes hls4ml layers. One function a kind; `HANDLERS` lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from tinsmith.ir.exact import (
    Accumulator,
    Add,
    AveragePool,
    Binarize,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    Ending,
    Layer,
    MatMul,
    MaxPool,
    Multiply,
    PiecewiseLinear,
    Requantization,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Table,
    Threshold,
)
from tinsmith.ir.ops.base import LIMITS

from tinsmith_backends.hls.lower import Ints, Lowering, channels_last
from tinsmith_backends.hls.lower_products import UNPADDED, convolved, dense, fraction_of, of_bits, padded
from tinsmith_backends.hls.network import Form, Node, order
from tinsmith_backends.hls.numbers import Fixed, integers

VALUE: Form = "value"


def _conv(state: Lowering, layer: Conv | ShiftConv) -> None:
    node, _ = state.source(layer.inputs[0])
    acc = convolved(state, layer, node, layer.weight.astype(np.int64), layer.bias, layer.group)
    _end(state, layer, acc, layer.ending)


def _binary_conv(state: Lowering, layer: BinaryConv) -> None:
    """Padding is the bit 0, so the bit that is held says where the input differs from what padding counts as."""
    form: Form = {-1: "plus", 0: "value", 1: "minus"}[layer.pad_value]  # type: ignore[assignment]
    if not any(layer.pads):
        form = "plus"
    node, _ = state.source(layer.inputs[0], form)
    weight = layer.weight.astype(np.int64)
    weight, bias = of_bits(form, weight, layer.bias, axes=(1, 2, 3))
    _end(state, layer, convolved(state, layer, node, weight, bias, 1), layer.ending)


def _matmul(state: Lowering, layer: MatMul | ShiftMatMul) -> None:
    node, held = state.source(layer.inputs[0])
    weight = layer.weight.astype(np.int64)[order(held)]
    _end(state, layer, dense(state, layer, node, weight, layer.bias), layer.ending)


def _binary_matmul(state: Lowering, layer: BinaryMatMul) -> None:
    node, held = state.source(layer.inputs[0], "plus")
    weight, bias = of_bits("plus", layer.weight.astype(np.int64), layer.bias, axes=(0,))
    _end(state, layer, dense(state, layer, node, weight[order(held)], bias), layer.ending)


def _end(state: Lowering, layer: Layer, acc: Node, ending: Ending) -> None:
    """Keep the output of an accumulator in its own order."""
    shape = state.tensor(layer.output).shape
    if isinstance(ending, Requantization) and fraction_of(layer) is not None:
        node, form = state.clamp(layer, acc, ending), VALUE
    else:
        node, form = _ended(state, layer, acc, ending)
    state.keep(layer.output, node, form, channels_last(len(shape)), shape)


def _ended(state: Lowering, layer: Layer, acc: Node, ending: Ending) -> tuple[Node, Form]:
    """What an accumulator becomes: 8 or 16 bits, itself, or the one bit that says where it reaches its limit."""
    match ending:
        case Threshold():
            return _reached(state, layer, acc, ending.limit), "plus"
        case Accumulator():
            return acc, VALUE
        case _:
            return state.requantize(layer, acc, ending), VALUE


def _reached(state: Lowering, layer: Layer, acc: Node, limit: Any, sign: Any = 1) -> Node:
    """1 where sign * acc >= limit, else 0: what saturates to one bit without a sign is sign * acc - limit + 1."""
    channels = acc.shape[-1]
    signs = np.broadcast_to(sign, (channels,)).astype(np.int64)
    above = state.affine(layer, acc, signs, 1 - np.asarray(limit, np.int64), fraction=0)
    return state.bit(layer, above)


def _binarize(state: Lowering, layer: Binarize) -> None:
    node, held, (limit, sign) = state.channels(layer, layer.inputs[0], layer.limit, layer.sign)
    state.keep(layer.output, _reached(state, layer, node, limit, sign), "plus", held.axes, held.shape)


def _add(state: Lowering, layer: Add) -> None:
    """Both inputs times their multipliers, the sum, one rounding."""
    terms = []
    for name, multiplier in zip(layer.inputs, layer.multipliers, strict=True):
        node, _ = state.source(name)
        channels = np.ones(node.shape[-1], np.int64)
        terms.append(state.affine(layer, node, multiplier * channels, 0 * channels, fraction=layer.requant.shift))
    total = _merged(state, layer, "add", *terms)
    _, held = state.source(layer.inputs[0])
    clamped = state.clamp(layer, total, layer.requant)
    state.keep(layer.output, clamped, "value", held.axes, held.shape)


def _requantize(state: Lowering, layer: Requantize) -> None:
    node, held = state.source(layer.inputs[0])
    state.keep(layer.output, state.requantize(layer, node, layer.requant), "value", held.axes, held.shape)


def _table(state: Lowering, layer: Table) -> None:
    """hls4ml's table of any function, which takes the bits of a value for the place in it."""
    x, held = state.source(layer.inputs[0])
    zero, y = state.tensor(layer.inputs[0]).zero_point, state.tensor(layer.output)
    least, bits = x.result.limits[0], 1 << x.result.width
    values = layer.table[np.arange(least + zero, least + zero + bits) % 256].astype(np.int64) - y.zero_point
    lo, hi = LIMITS[y.dtype]
    results = integers(lo - y.zero_point, hi - y.zero_point)
    node = state.add(
        layer,
        "UnaryLUT",
        (x,),
        x.shape,
        {"result": results, "table": results},
        activation="unary_lut",
        table_data=np.roll(values, least),  # a negative value's bits are those of an unsigned one behind the others
    )
    state.keep(layer.output, node, "value", held.axes, held.shape)


def _piecewise_linear(state: Lowering, layer: PiecewiseLinear) -> None:
    """One straight line, and behind the knee, where a bit says so, the difference to the other line."""
    constants = (layer.knee, *layer.multiplier, *layer.offset)
    x, held, (knee, slope, other_slope, offset, other_offset) = state.channels(layer, layer.inputs[0], *constants)
    total = state.affine(layer, x, slope, offset, fraction=layer.shift)
    if (slope != other_slope).any() or (offset != other_offset).any():
        behind = _reached(state, layer, x, knee)
        step = state.affine(layer, x, other_slope - slope, other_offset - offset, fraction=layer.shift)
        total = _merged(state, layer, "add", total, _merged(state, layer, "multiply", step, behind))
    state.keep(layer.output, state.clamp(layer, total, layer.rounding), "value", held.axes, held.shape)


def _multiply(state: Lowering, layer: Multiply) -> None:
    """By constants of a channel, or element by element by a tensor of the same shape; then the bias."""
    given = np.ones(1, np.int64) if layer.factor is None else layer.factor.reshape(-1)
    ending = layer.ending
    each: Any = given
    match ending:
        case Threshold(limit=each) | Requantization(multiplier=each):
            pass
    x, held, (bias, factor, each) = state.channels(layer, layer.inputs[0], layer.bias, given, each)
    channels = np.ones(x.shape[-1], np.int64)
    if layer.factor is None:
        x = _merged(state, layer, "multiply", x, state.source(layer.inputs[1])[0])
    acc = state.affine(layer, x, factor * channels, bias * channels, fraction=0)
    if isinstance(ending, Threshold):
        ending = Threshold(each.astype(np.int32))
    elif isinstance(ending, Requantization):
        ending = replace(ending, multiplier=each.astype(np.int32))
    node, form = _ended(state, layer, acc, ending)
    state.keep(layer.output, node, form, held.axes, held.shape)


def _merged(state: Lowering, layer: Layer, op: str, a: Node, b: Node) -> Node:
    """Sum or product, element by element, no bit lost."""
    fractions = [node.result.width - node.result.integer for node in (a, b)]
    whole = [node.result.integer + (not node.result.signed) for node in (a, b)]
    if op == "add":
        integer, fraction = max(whole) + 1, max(fractions)
    else:
        integer, fraction = sum(whole), sum(fractions)
    return state.add(layer, "Merge", (a, b), a.shape, {"result": Fixed(integer + fraction, integer)}, op=op)


def _average_pool(state: Lowering, layer: AveragePool) -> None:
    """The sum as a convolution by ones: hls4ml's own average divides inside the accumulator's type."""
    node, _ = state.source(layer.inputs[0])
    channels = node.shape[-1]
    ones = np.ones((channels, 1, *layer.kernel), np.int64)
    pool = _Window(layer, ones)
    acc = convolved(state, pool, node, ones, np.zeros(channels, np.int64), channels)
    _end(state, layer, acc, layer.requant)


class _Window:
    """An average pool with the attributes of a convolution."""

    dilations = (1, 1)

    def __init__(self, layer: AveragePool, weight: Ints) -> None:
        self.name, self.acc, self.requant = layer.name, layer.acc, layer.requant
        self.strides, self.pads = layer.strides, layer.pads


def _max_pool(state: Lowering, layer: MaxPool) -> None:
    node, _ = state.source(layer.inputs[0])
    _pool(state, layer, node, "value")


def _binary_max_pool(state: Lowering, layer: BinaryMaxPool) -> None:
    """Of the bit that says +1; a channel whose minimum is wanted is turned before and after."""
    node, _ = state.source(layer.inputs[0], "plus")
    turned = layer.sign < 0
    if turned.any():
        node = _turned(state, layer, node, turned)
    _pool(state, layer, node, "plus", turned if turned.any() else None)


def _turned(state: Lowering, layer: Layer, x: Node, turned: Any) -> Node:
    return state.bit(layer, state.affine(layer, x, np.where(turned, -1, 1), np.where(turned, 1, 0), fraction=0))


def _pool(state: Lowering, layer: Any, x: Node, form: Form, turned: Any = None) -> None:
    x = padded(state, layer, x)
    height, width, channels = x.shape
    y = state.tensor(layer.output)
    pooled = state.add(
        layer,
        "MaxPooling2D",
        (x,),
        (y.shape[2], y.shape[3], channels),
        {"result": x.result, "accum": x.result},
        data_format="channels_last",
        in_height=height,
        in_width=width,
        n_filt=channels,
        pool_height=layer.kernel[0],
        pool_width=layer.kernel[1],
        stride_height=layer.strides[0],
        stride_width=layer.strides[1],
        padding="valid",
        **UNPADDED,
        out_height=y.shape[2],
        out_width=y.shape[3],
        pool_op="Max",
        count_pad=False,
    )
    node = pooled if turned is None else _turned(state, layer, pooled, turned)
    state.keep(layer.output, node, form, channels_last(4))


def _concat(state: Lowering, layer: Concat) -> None:
    """hls4ml joins two at a time."""
    forms: Form = "plus" if state.tensor(layer.output).bits == 1 else "value"
    found = [state.source(name, forms) for name in layer.inputs]
    node, held = found[0]
    axis = held.axes.index(layer.axis)
    for other, _ in found[1:]:
        shape = list(node.shape)
        shape[axis - 1] += other.shape[axis - 1]
        types = {"result": _wider(node.result, other.result)}
        node = state.add(
            layer, "Concatenate", (node, other), tuple(shape), types, axis=axis, op=f"concatenate{len(shape)}d"
        )
    state.keep(layer.output, node, forms, held.axes)


def _wider(a: Fixed, b: Fixed) -> Fixed:
    (a_lo, a_hi), (b_lo, b_hi) = a.limits, b.limits
    return integers(min(a_lo, b_lo), max(a_hi, b_hi))


def _reshape(state: Lowering, layer: Reshape) -> None:
    """The same stored elements under another name; where the new shape is an image, its order must be the image's."""
    y = state.tensor(layer.output)
    for form in tuple(state.held[layer.inputs[0]]):
        node, held = state.source(layer.inputs[0], form)
        axes = channels_last(len(y.shape))
        if len(y.shape) > 2:
            shape = tuple(y.shape[axis] for axis in axes)[1:]
            node = state.add(layer, "Reshape", (node,), shape, {"result": node.result}, target_shape=list(shape))
            state.keep(y.name, node, form, axes)
        else:
            state.keep(y.name, node, form, held.axes, held.shape)


HANDLERS: Mapping[type[Layer], Callable[[Lowering, Any], None]] = {
    Add: _add,
    AveragePool: _average_pool,
    BinaryConv: _binary_conv,
    BinaryMatMul: _binary_matmul,
    BinaryMaxPool: _binary_max_pool,
    Binarize: _binarize,
    Concat: _concat,
    Conv: _conv,
    MatMul: _matmul,
    MaxPool: _max_pool,
    Multiply: _multiply,
    PiecewiseLinear: _piecewise_linear,
    Requantize: _requantize,
    Reshape: _reshape,
    ShiftConv: _conv,
    ShiftMatMul: _matmul,
    Table: _table,
}
"""What becomes of a layer, by its kind."""
