"""Operators that move a window over an image, as operations of the accelerator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
from tinsmith.ir.exact import Layer

from tinsmith_backends.soc.chip import XNOR, Chip
from tinsmith_backends.soc.endings import Finish, unchanged
from tinsmith_backends.soc.memory_map import OPCODE
from tinsmith_backends.soc.operations import Operation, View, parameters
from tinsmith_backends.soc.weights import Weights, dense_weights, history_weights, tap_weights, unused_bits
from tinsmith_backends.zero_points import folded_bias

HISTORY_ROWS = 8
"""Rows of a window that the history of columns holds."""
Window = Mapping[str, Any]
"""`strides`, `pads` (top, left, bottom, right) and `dilations`."""
ONE_BY_ONE: Window = {"strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1)}


def dense(
    chip: Chip,
    layer: Layer,
    x: View,
    y: View,
    weight: Weights,
    ending: Finish,
    window: Window,
    pad_value: int = 0,
) -> Operation:
    """Every output channel from every input channel; `pad_value`, less the zero point, stands around the input."""
    outputs, inputs, kh, kw = weight.shape
    merged = window["dilations"][1] == 1 and x.pixel_bytes == x.run_bytes
    weights = dense_weights(weight, chip, merged=merged, wide=x.bits == 16)
    runs = 1 if merged else kw
    fields = {"opcode": OPCODE["CONV"], "w_per_group": 1, "kx_n": runs, "run_n": weights.shape[1] // (kh * runs)}
    fields |= {**_geometry(x, y, (kh, kw), window), "pad_byte": (x.zero + pad_value) & 0xFF, **ending.fields}
    bias = folded_bias(weight, ending.bias, x.zero).astype(np.int32)
    if chip.kind == XNOR:
        last = (kw if merged else 1) * x.run_bytes % chip.lanes
        fields |= {"run_last": last, "pad_none": int(pad_value == 0), "pad_byte": 0xFF if pad_value < 0 else 0}
        bias = bias - np.int32(kh * kw * (unused_bits(inputs) % 2))  # what `coded` leaves over
    numbers = parameters(bias, ending.multiplier, chip.pes, chip.pes)
    macs = y.height * y.width * weight.size
    kernel = "convolution" if kh * kw > 1 else "1x1 convolution"
    return Operation(
        layer.name, "matrix product" if layer.kind.endswith("MatMul") else kernel, x, None, y, fields, weights, numbers,
        chip.pes, ceil(outputs / chip.pes), weights.shape[1], macs, (kh, kw),
    )  # fmt: skip


def filters(
    chip: Chip,
    layer: Layer,
    x: View,
    y: View,
    weight: Weights,
    ending: Finish,
    window: Window,
    *,
    shared: bool = False,
) -> Operation:
    """A filter (channels, kh, kw) of its own for every channel, or the same for all; the cheaper of two forms."""
    channels, kh, kw = weight.shape
    macs = 0 if shared else y.height * y.width * weight.size
    stride = window["strides"][1]
    fits = 1 < kw <= chip.lanes and stride <= kw and kh <= HISTORY_ROWS and window["dilations"][1] == 1
    fits = fits and x.bits == 8
    group = _channels(chip, x)
    ending = replace(ending, bias=folded_bias(weight, ending.bias, x.zero).astype(np.int32))
    if chip.has("history") and fits:
        fields = {"opcode": OPCODE["CONV"], "channelwise": 1, "history": 1, "kx_n": 1, "run_n": 1}
        fields |= {**_geometry(x, y, (kh, kw), window), "history_stride": stride, "history_kw": kw, **ending.fields}
        weights, steps = history_weights(weight, chip), kh
    else:
        plain = taps(chip, layer, x, y, weight, ending, window, (kh, kw))
        fields, weights, steps = dict(plain.fields), plain.weights, plain.steps
    fields |= {"w_per_group": int(not shared), "pad_byte": x.zero & 0xFF}
    numbers = parameters(ending.bias, ending.multiplier, group, chip.pes)
    return Operation(
        layer.name, _named(layer, history="history" in fields), x, None, y, fields,
        weights[:1] if shared else weights, numbers, group, ceil(channels / group), steps, macs, (kh, kw),
    )  # fmt: skip


def taps(
    chip: Chip,
    layer: Layer,
    x: View,
    y: View,
    weight: Weights,
    ending: Finish,
    window: Window,
    kernel: tuple[int, int],
) -> Operation:
    """One tap of the window a clock; element p works on byte p, or on value p of 16 bits."""
    kh, kw = kernel
    group = _channels(chip, x)
    fields = {"opcode": OPCODE["CONV"], "channelwise": 1, "kx_n": kw, "run_n": 1, "w_per_group": 1}
    fields |= {**_geometry(x, y, kernel, window), **ending.fields}
    weights = tap_weights(weight, chip, group) if weight.size else np.zeros((0, 0, chip.pes, chip.lanes), np.int8)
    groups = ceil(x.channels / group)
    numbers = parameters(ending.bias, ending.multiplier, group, chip.pes)
    steps = kh * kw
    return Operation(layer.name, "taps", x, None, y, fields, weights, numbers, group, groups, steps, window=kernel)


def pool(chip: Chip, layer: Layer, x: View, y: View, window: Window, kernel: tuple[int, int]) -> Operation:
    """The maximum of a window, channel by channel; bits, of which 1 is -1, eight channels a byte by their AND."""
    bits = x.bits == 1
    x, y = x.bytes, y.bytes
    lo, hi = x.limits
    none = np.zeros((x.channels, 0, 0), np.int16)
    plain = taps(chip, layer, x, y, none, unchanged(x.channels, lo, hi), window, kernel)
    fields = {**plain.fields, "opcode": OPCODE["BITPOOL" if bits else "MAXPOOL"], "w_per_group": 0}
    return replace(plain, kernel="max pool", fields={**fields, "pad_byte": 0xFF if bits else lo & 0xFF})


def _channels(chip: Chip, x: View) -> int:
    """Channels of a group where an element works on one: as many as one read brings."""
    return chip.vector // 2 if x.bits == 16 else chip.vector


def _geometry(x: View, y: View, kernel: tuple[int, int], window: Window) -> dict[str, int]:
    """Fields of a window's path over its input."""
    (stride_y, stride_x), (dil_y, dil_x) = window["strides"], window["dilations"]
    return {
        "in_signed": int(x.signed),
        "wide_in": int(x.bits == 16),
        "wide_out": int(y.bits == 16),
        "in_h": x.height,
        "in_row_bytes": x.row_bytes,
        "out_h": y.height,
        "out_w": y.width,
        "kh": kernel[0],
        "stride_y": stride_y,
        "dil_y": dil_y,
        "pad_top": window["pads"][0],
        "stride_xb": stride_x * x.pixel_bytes,
        "dil_xb": dil_x * x.pixel_bytes,
        "pad_left_b": window["pads"][1] * x.pixel_bytes,
    }


def _named(layer: Layer, *, history: bool) -> str:
    """What is done channel by channel, for people."""
    names = {"Conv": "depthwise convolution", "ShiftConv": "depthwise convolution", "AveragePool": "average pool"}
    name = names.get(layer.kind, "copy" if layer.kind == "Concat" else layer.kind.lower())
    return f"{name} with history" if history else name
