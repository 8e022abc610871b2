"""Sums of products as hls4ml's Conv2D and Dense: types, binary point, padding, and zeros for groups and dilation."""

from __future__ import annotations

from typing import Any

import numpy as np
from tinsmith.ir.exact import Requantization, ending_of

from tinsmith_backends.hls.lower import Ints, Lowering, with_bits
from tinsmith_backends.hls.network import Form, Node
from tinsmith_backends.hls.numbers import Fixed

UNPADDED = {"pad_top": 0, "pad_bottom": 0, "pad_left": 0, "pad_right": 0}


def of_bits(form: Form, weight: Ints, bias: Any, axes: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Weights and bias for a ±1 input that is held as a bit: ±1 = 2 * plus - 1 = 1 - 2 * minus."""
    total = weight.sum(axis=axes)
    if form == "plus":
        return 2 * weight, bias.astype(np.int64) - total
    return (-2 * weight, bias + total) if form == "minus" else (weight, bias.astype(np.int64))


def fraction_of(layer: Any) -> int | None:
    """Fraction bits of an accumulator whose requantization multiplies by a power of two: it is put there at once."""
    ending = ending_of(layer)
    factors = {int(factor) for factor in ending.multiplier} if isinstance(ending, Requantization) else set()
    alone = factors.pop() if len(factors) == 1 else 0
    return ending.shift + 1 - alone.bit_length() if alone.bit_count() == 1 else None  # type: ignore[union-attr]


def _constants(layer: Any, weight: Ints, bias: Any) -> tuple[dict[str, Fixed], dict[str, Any]]:
    """Types and data of a layer with weights (in hls4ml's order), all of them times 2**-fraction_of."""
    fraction = fraction_of(layer) or 0
    unit = 2.0**-fraction
    result = with_bits(layer.acc[0], layer.acc[1], fraction)
    types = {
        "weight": with_bits(int(weight.min()), int(weight.max()), fraction, signed=None),
        "bias": with_bits(int(bias.min()), int(bias.max()), fraction),
        "accum": result,
        "result": result,
    }
    return types, {"weight_data": weight * unit, "bias_data": np.asarray(bias) * unit}


def convolved(state: Lowering, layer: Any, x: Node, weight: Ints, bias: Any, group: int) -> Node:
    """The accumulator of a convolution; weight (out, in / group, kh, kw). Dilation and groups become zero weights."""
    x = padded(state, layer, x)
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


def padded(state: Lowering, layer: Any, x: Node) -> Node:
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


def dense(state: Lowering, layer: Any, x: Node, weight: Ints, bias: Any) -> Node:
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
