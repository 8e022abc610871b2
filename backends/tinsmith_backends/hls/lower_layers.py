"""How each kind of layer becomes hls4ml layers. One function a kind; `HANDLERS` lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    Requantization,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    ending_of,
)

from tinsmith_backends.hls.lower import Ints, Lowering, channels_last, with_bits
from tinsmith_backends.hls.network import Form, Node, order
from tinsmith_backends.hls.numbers import Fixed, integers

UNPADDED = {"pad_top": 0, "pad_bottom": 0, "pad_left": 0, "pad_right": 0}


def _conv(state: Lowering, layer: Conv | ShiftConv) -> None:
    node, _ = state.source(layer.inputs[0])
    acc = _convolved(state, layer, node, layer.weight.astype(np.int64), layer.bias, layer.group)
    _end(state, layer, acc, layer.ending)


def _binary_conv(state: Lowering, layer: BinaryConv) -> None:
    """Padding is the bit 0, so the bit that is held says where the input differs from what padding counts as."""
    form: Form = {-1: "plus", 0: "value", 1: "minus"}[layer.pad_value]  # type: ignore[assignment]
    if not any(layer.pads):
        form = "plus"
    node, _ = state.source(layer.inputs[0], form)
    weight = layer.weight.astype(np.int64)
    weight, bias = _of_bits(form, weight, layer.bias, axes=(1, 2, 3))
    _end(state, layer, _convolved(state, layer, node, weight, bias, 1), layer.ending)


def _of_bits(form: Form, weight: Ints, bias: Any, axes: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Weights and bias for a ±1 input that is held as a bit: ±1 = 2 * plus - 1 = 1 - 2 * minus."""
    total = weight.sum(axis=axes)
    if form == "plus":
        return 2 * weight, bias.astype(np.int64) - total
    return (-2 * weight, bias + total) if form == "minus" else (weight, bias.astype(np.int64))


def _fraction(layer: Any) -> int | None:
    """Fraction bits of an accumulator whose requantization multiplies by a power of two: it is put there at once."""
    ending = ending_of(layer)
    factors = {int(factor) for factor in ending.multiplier} if isinstance(ending, Requantization) else set()
    alone = factors.pop() if len(factors) == 1 else 0
    return ending.shift + 1 - alone.bit_length() if alone.bit_count() == 1 else None  # type: ignore[union-attr]


def _constants(layer: Any, weight: Ints, bias: Any) -> tuple[dict[str, Fixed], dict[str, Any]]:
    """Types and data of a layer with weights (in hls4ml's order), all of them times 2**-_fraction."""
    fraction = _fraction(layer) or 0
    unit = 2.0**-fraction
    result = with_bits(layer.acc[0], layer.acc[1], fraction)
    types = {
        "weight": with_bits(int(weight.min()), int(weight.max()), fraction, signed=None),
        "bias": with_bits(int(bias.min()), int(bias.max()), fraction),
        "accum": result,
        "result": result,
    }
    return types, {"weight_data": weight * unit, "bias_data": np.asarray(bias) * unit}


def _convolved(state: Lowering, layer: Any, x: Node, weight: Ints, bias: Any, group: int) -> Node:
    """The accumulator of a convolution; weight (out, in / group, kh, kw). Dilation and groups become zero weights."""
    x = _padded(state, layer, x)
    height, width, channels = x.shape
    weight = _dilated(_ungrouped(weight, group, channels), layer.dilations)
    filters, _, kh, kw = weight.shape
    out_h, out_w = (height - kh) // layer.strides[0] + 1, (width - kw) // layer.strides[1] + 1
    types, data = _constants(layer, weight.transpose(2, 3, 1, 0), bias)
    return state.add(
        layer,
        "Conv2D",
        (x,),
        (out_h, out_w, filters),
        types,
        data_format="channels_last",
        **data,
        in_height=height,
        in_width=width,
        n_chan=channels,
        n_filt=filters,
        filt_height=kh,
        filt_width=kw,
        stride_height=layer.strides[0],
        stride_width=layer.strides[1],
        padding="valid",
        **UNPADDED,
        out_height=out_h,
        out_width=out_w,
        dilation=1,
    )


def _padded(state: Lowering, layer: Any, x: Node) -> Node:
    """The image with its border of zeros: what hls4ml's layers pad themselves follows a rule of their own."""
    top, left, bottom, right = layer.pads
    if not any(layer.pads):
        return x
    height, width, channels = x.shape
    return state.add(
        layer,
        "ZeroPadding2D",
        (x,),
        (height + top + bottom, width + left + right, channels),
        {"result": x.result},
        in_height=height,
        in_width=width,
        n_chan=channels,
        out_height=height + top + bottom,
        out_width=width + left + right,
        pad_top=top,
        pad_left=left,
        pad_bottom=bottom,
        pad_right=right,
    )


def _ungrouped(weight: Ints, group: int, channels: int) -> Ints:
    """The dense weights of a grouped convolution: hls4ml's depthwise layer is right on two of the four flows only."""
    if group == 1:
        return weight
    filters, inner = weight.shape[:2]
    dense = np.zeros((filters, channels, *weight.shape[2:]), np.int64)
    for o in range(filters):
        first = o // (filters // group) * inner
        dense[o, first : first + inner] = weight[o]
    return dense


def _dilated(weight: Ints, dilations: tuple[int, int]) -> Ints:
    if dilations == (1, 1):
        return weight
    *ends, kh, kw = weight.shape
    spread = np.zeros((*ends, (kh - 1) * dilations[0] + 1, (kw - 1) * dilations[1] + 1), np.int64)
    spread[..., :: dilations[0], :: dilations[1]] = weight
    return spread


def _matmul(state: Lowering, layer: MatMul | ShiftMatMul) -> None:
    node, held = state.source(layer.inputs[0])
    weight = layer.weight.astype(np.int64)[order(held)]
    _end(state, layer, _dense(state, layer, node, weight, layer.bias), layer.ending)


def _binary_matmul(state: Lowering, layer: BinaryMatMul) -> None:
    node, held = state.source(layer.inputs[0], "plus")
    weight, bias = _of_bits("plus", layer.weight.astype(np.int64), layer.bias, axes=(0,))
    _end(state, layer, _dense(state, layer, node, weight[order(held)], bias), layer.ending)


def _dense(state: Lowering, layer: Any, x: Node, weight: Ints, bias: Any) -> Node:
    """The accumulator of a matrix product of one row; weight (in, out) in the stored order."""
    types, data = _constants(layer, weight, bias)
    return state.add(
        layer,
        "Dense",
        (state.flattened(layer, x),),
        (weight.shape[1],),
        types,
        data_format="channels_last",
        **data,
        n_in=weight.shape[0],
        n_out=weight.shape[1],
    )


def _end(state: Lowering, layer: Layer, acc: Node, ending: Ending) -> None:
    """The stored output of an accumulator: 8 bits, or the one bit that says where it reaches its limit."""
    axes = channels_last(len(state.tensor(layer.output).shape))
    if isinstance(ending, Accumulator):
        raise TypeError(f"{layer.name} puts out its accumulators")
    if isinstance(ending, Requantization):
        ready = state.clamp(layer, acc, ending.lo, ending.hi) if _fraction(layer) is not None else None
        state.keep(layer.output, ready or state.requantize(layer, acc, ending), "value", axes)
        return
    state.keep(layer.output, _reached(state, layer, acc, ending.limit), "plus", axes)


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
    wide = max(term.result.integer for term in terms) + 1
    result = Fixed(wide + layer.requant.shift, wide, True)
    total = state.add(layer, "Merge", terms, terms[0].shape, {"result": result}, op="add")
    _, held = state.source(layer.inputs[0])
    clamped = state.clamp(layer, total, layer.requant.lo, layer.requant.hi)
    state.keep(layer.output, clamped, "value", held.axes, held.shape)


def _requantize(state: Lowering, layer: Requantize) -> None:
    node, held = state.source(layer.inputs[0])
    state.keep(layer.output, state.requantize(layer, node, layer.requant), "value", held.axes, held.shape)


def _average_pool(state: Lowering, layer: AveragePool) -> None:
    """The sum as a convolution by ones: hls4ml's own average divides inside the accumulator's type."""
    node, _ = state.source(layer.inputs[0])
    channels = node.shape[-1]
    ones = np.ones((channels, 1, *layer.kernel), np.int64)
    pool = _Window(layer, ones)
    acc = _convolved(state, pool, node, ones, np.zeros(channels, np.int64), channels)
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
    x = _padded(state, layer, x)
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
    Requantize: _requantize,
    Reshape: _reshape,
    ShiftConv: _conv,
    ShiftMatMul: _matmul,
}
"""What becomes of a layer, by its kind."""
