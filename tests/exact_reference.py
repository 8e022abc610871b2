"""The exact graph's operators again, straight from docs/numbers.md in numpy int64.

Written independently of the function bodies, so that a mistake must be made twice to pass unseen.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.ir import exact
from tinsmith.ir.exact import ExactGraph, Requantization

Array = npt.NDArray[Any]


def rescale(acc: Array, requant: Requantization, channel_axis: int | None = None) -> Array:
    """clamp(zero_point + floor((acc * M + 2^(s-1)) / 2^s), lo, hi)."""
    multiplier = requant.multiplier.astype(np.int64)
    if channel_axis is not None:
        multiplier = multiplier.reshape(-1, *[1] * (acc.ndim - 1 - channel_axis))
    floored = np.floor_divide(acc.astype(np.int64) * multiplier + 2 ** (requant.shift - 1), 2**requant.shift)
    return np.minimum(np.maximum(requant.zero_point + floored, requant.lo), requant.hi)


def end(acc: Array, ending: exact.Ending, channel_axis: int) -> Array:
    """The ending of an accumulator with channels along `channel_axis`: rescaled, -1 and +1, or as it is."""
    if isinstance(ending, exact.Accumulator):
        return acc
    if isinstance(ending, Requantization):
        return rescale(acc, ending, channel_axis)
    return np.where(acc >= per_channel(ending.limit, acc, channel_axis), 1, -1)


def per_channel(values: Array, x: Array, axis: int) -> Array:
    """(C,) in the shape that broadcasts along `axis` of `x`."""
    return values.astype(np.int64).reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def windows(x: Array, kernel: tuple[int, int], strides: tuple[int, int], dilations: tuple[int, int]) -> Array:
    """(C, H, W), padded already → (C, kh, kw, Ho, Wo)."""
    spread = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    height, width = ((n - s) // step + 1 for n, s, step in zip(x.shape[1:], spread, strides, strict=True))
    out = np.empty((x.shape[0], *kernel, height, width), x.dtype)
    for i, j in itertools.product(range(kernel[0]), range(kernel[1])):
        top, left = i * dilations[0], j * dilations[1]
        rows = slice(top, top + (height - 1) * strides[0] + 1, strides[0])
        out[:, i, j] = x[:, rows, left : left + (width - 1) * strides[1] + 1 : strides[1]]
    return out


def _padded(x: Array, pads: tuple[int, int, int, int], value: int) -> Array:
    top, left, bottom, right = pads
    return np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=value)


def _conv(layer: Any, x: Array, *, padding: int = 0, group: int = 1) -> Array:
    taps = windows(_padded(x[0], layer.pads, padding), layer.weight.shape[2:], layer.strides, layer.dilations)
    inputs, outputs = layer.weight.shape[1], layer.weight.shape[0] // group
    acc = [
        np.einsum("cij,cijhw->hw", layer.weight[o].astype(np.int64), taps[first : first + inputs]) + layer.bias[o]
        for o in range(layer.weight.shape[0])
        for first in [o // outputs * inputs]
    ]
    return end(np.stack(acc)[None], layer.ending, 1)


def _piecewise_linear(layer: exact.PiecewiseLinear, v: Array) -> Array:
    above = v >= per_channel(layer.knee, v, layer.axis)
    pieces = [
        v * per_channel(layer.multiplier[k], v, layer.axis) + per_channel(layer.offset[k], v, layer.axis)
        for k in range(2)
    ]
    floored = np.floor_divide(np.where(above, pieces[1], pieces[0]) + 2 ** (layer.shift - 1), 2**layer.shift)
    return np.minimum(np.maximum(layer.zero_point + floored, layer.lo), layer.hi)


def _softmax(layer: exact.Softmax, x: Array) -> Array:
    e = layer.table[x.max(axis=-1, keepdims=True) - x].astype(np.int64)
    return e.astype(np.float32) / e.sum(axis=-1, keepdims=True).astype(np.float32)


def _quantize(x: Array, y: exact.Tensor) -> Array:
    steps = np.rint(x / np.float32(y.scale))
    return np.clip(steps, y.lo - y.zero_point, y.hi - y.zero_point).astype(np.int64) + y.zero_point


def run_layer(layer: exact.Layer, graph: ExactGraph, values: dict[str, Array]) -> Array:
    """Output of one layer, from the tensors before it."""
    stored = [
        values[name].astype(np.int64) if values[name].dtype != np.float32 else values[name] for name in layer.inputs
    ]
    zeros = [graph.tensors[name].zero_point for name in layer.inputs]
    x, y = stored[0], graph.tensors[layer.output]
    match layer:
        case exact.Quantize():
            return _quantize(x, y)
        case exact.Dequantize():
            return (x - zeros[0]).astype(np.float32) * np.float32(graph.tensors[layer.inputs[0]].scale)
        case exact.Conv():
            return _conv(layer, x - zeros[0], group=layer.group)
        case exact.ShiftConv():
            return _conv(layer, x - zeros[0], group=layer.group)
        case exact.BinaryMaxPool():
            sign = per_channel(layer.sign, x[0], 0)
            taps = windows(_padded(sign * x[0], layer.pads, -1000), layer.kernel, layer.strides, layer.dilations)
            return (sign * taps.max(axis=(1, 2)))[None]
        case exact.PiecewiseLinear():
            return _piecewise_linear(layer, x - zeros[0])
        case exact.Multiply():
            b = stored[1] - zeros[1] if layer.factor is None else layer.factor.astype(np.int64)
            acc = (x - zeros[0]) * b
            return end(acc + per_channel(layer.bias, acc, layer.axis), layer.ending, layer.axis)
        case exact.AbsoluteSum():
            return rescale(np.abs(x - zeros[0]).sum(axis=layer.axes, keepdims=True), layer.requant)
        case exact.Table():
            return np.array([int(layer.table[v & 255]) for v in x.flat]).reshape(x.shape)
        case exact.BinaryConv():
            return _conv(layer, x, padding=layer.pad_value)
        case exact.Binarize():
            sign, limit = (per_channel(values, x, layer.axis) for values in (layer.sign, layer.limit))
            return np.where(sign * (x - zeros[0]) >= limit, 1, -1)
        case exact.MatMul() | exact.BinaryMatMul() | exact.ShiftMatMul():
            acc = (x - zeros[0]) @ layer.weight.astype(np.int64) + layer.bias
            return end(acc, layer.ending, acc.ndim - 1)
        case exact.Add():
            a, b = layer.multipliers
            return rescale((x - zeros[0]) * a + (stored[1] - zeros[1]) * b, layer.requant)
        case exact.Requantize():
            return rescale(x - zeros[0], layer.requant)
        case exact.AveragePool():
            taps = windows(_padded(x[0] - zeros[0], layer.pads, 0), layer.kernel, layer.strides, (1, 1))
            return rescale(taps.sum(axis=(1, 2))[None], layer.requant)
        case exact.MaxPool():
            taps = windows(_padded(x[0], layer.pads, -1000), layer.kernel, layer.strides, layer.dilations)
            return taps.max(axis=(1, 2))[None]
        case exact.Concat():
            return np.concatenate(stored, axis=layer.axis)
        case exact.Reshape():
            return x.reshape(y.shape)
        case exact.Transpose():
            return x.transpose(layer.perm)
        case exact.Softmax():
            return _softmax(layer, x)
        case exact.ArgMax():
            return x.argmax(axis=-1).reshape(y.shape)
        case _:
            raise NotImplementedError(layer.kind)


def run_reference(graph: ExactGraph, sample: dict[str, Array]) -> dict[str, Array]:
    """Every layer's output by tensor name, with the tensor's dtype."""
    values: dict[str, Array] = dict(sample)
    for layer in graph.layers:
        values[layer.output] = run_layer(layer, graph, values).astype(graph.tensors[layer.output].dtype)
    return {layer.output: values[layer.output] for layer in graph.layers}
