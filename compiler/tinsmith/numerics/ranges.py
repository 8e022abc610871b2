"""Proving ranges: what every accumulator and every tensor of an exact graph can hold, by interval arithmetic.

Intervals come from the actual weights, channel by channel. The proof also covers the forms in which kernels add up:
with zero points inside (`bias - zero_point * sum(weight)` first, then products of stored values), in any order, with
8-bit values read as signed or unsigned. Values of 16 bits have no zero point and are signed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinsmith.errors import Problems
from tinsmith.ir.exact import (
    AbsoluteSum,
    Accumulator,
    Add,
    ArgMax,
    AveragePool,
    Binarize,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    ExactGraph,
    Layer,
    MatMul,
    MaxPool,
    Multiply,
    PiecewiseLinear,
    Quantize,
    Requantization,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Softmax,
    Table,
    Tensor,
    Threshold,
    Transpose,
    Weighted,
    ending_of,
)
from tinsmith.numerics.requantize import INT32_MAX, Int64Array, product_fits_int32, requantize

STORED_SPAN = 255
"""Largest |stored| and largest |zero point| of an 8-bit tensor, read as signed or unsigned."""
REACH = {1: 2 * 2, 8: 2 * STORED_SPAN, 16: 2**15}
"""What a unit of weight can add to a partial sum, by the bits of the tensor that it multiplies."""

_GREW_PAST = "an int32 accumulator that could overflow would give other numbers on other machines"
_UNREACHABLE = "limits lie between the least accumulator (always +1) and one above the largest (always -1)"
_AGAIN = "make the file again with `tinsmith quantize`"
_NARROWER = 'activations = "8-bit" for its input in the recipe, or shrink its weights or bias'
_SPLIT = "split the layer's inputs into parts that are added, or shrink its weights or bias"


@dataclass(frozen=True)
class Interval:
    """Least and largest value, (C,) each: one entry a channel, or one for the whole tensor."""

    lo: Int64Array
    hi: Int64Array

    @property
    def magnitude(self) -> Int64Array:
        """(C,) largest absolute value."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    @property
    def sorted(self) -> Interval:
        """The same interval where `lo` and `hi` may have changed places."""
        return Interval(np.minimum(self.lo, self.hi), np.maximum(self.lo, self.hi))

    @property
    def span(self) -> tuple[int, int]:
        """Least and largest over all channels."""
        return int(self.lo.min()), int(self.hi.max())


def true_interval(x: Tensor) -> tuple[int, int]:
    """Range of stored - zero_point, widened to hold 0, which padding adds."""
    return min(x.lo - x.zero_point, 0), max(x.hi - x.zero_point, 0)


def weighted_accumulator(weight: np.ndarray, bias: np.ndarray, x: Tensor) -> Interval:
    """bias[c] + sum of (x - x.zero_point) * weight[c], for weight (C, terms) and bias (C,)."""
    lo, hi = true_interval(x)
    wide = weight.astype(np.int64)
    rising, falling = np.maximum(wide, 0).sum(axis=1), np.minimum(wide, 0).sum(axis=1)
    start = bias.astype(np.int64)
    return Interval(start + rising * lo + falling * hi, start + rising * hi + falling * lo)


def partial_sum_bound(weight: np.ndarray, bias: np.ndarray, bits: int = 8) -> Int64Array:
    """(C,) no partial sum of any kernel's form exceeds this: |bias| + |zero point| sum|w| + |stored| sum|w|.

    `bits` are those of the tensor that weights multiply. For one bit it covers sums of differing bits too:
    bias + K - 2 * differing, K being the number of weights, with the taps that padding hides counted and taken off.
    """
    bound: Int64Array = np.abs(bias.astype(np.int64)) + REACH[bits] * np.abs(weight.astype(np.int64)).sum(axis=1)
    return bound


def _weights(layer: Weighted) -> np.ndarray:
    """(C, terms) the weights of each output channel."""
    windowed = isinstance(layer, Conv | BinaryConv | ShiftConv)
    return layer.weight.reshape(layer.weight.shape[0], -1) if windowed else layer.weight.T


def accumulator(layer: Layer, tensors: Mapping[str, Tensor]) -> Interval | None:
    """The proved accumulator of a layer, before requantization; None for a layer without one."""
    x = tensors[layer.inputs[0]]
    match layer:
        case Conv() | MatMul() | BinaryConv() | BinaryMatMul() | ShiftConv() | ShiftMatMul():
            return weighted_accumulator(_weights(layer), layer.bias, x)
        case AveragePool():
            area = layer.kernel[0] * layer.kernel[1]
            lo, hi = true_interval(x)
            return Interval(np.array([lo * area], np.int64), np.array([hi * area], np.int64))
        case Requantize():
            return Interval(np.array([x.lo - x.zero_point], np.int64), np.array([x.hi - x.zero_point], np.int64))
        case Add():
            pairs = [(tensors[name], m) for name, m in zip(layer.inputs, layer.multipliers, strict=True)]
            lo = sum((t.lo - t.zero_point) * m for t, m in pairs)
            hi = sum((t.hi - t.zero_point) * m for t, m in pairs)
            return Interval(np.array([lo], np.int64), np.array([hi], np.int64))
        case Binarize():
            sign = layer.sign.astype(np.int64)
            return Interval(sign * (x.lo - x.zero_point), sign * (x.hi - x.zero_point)).sorted
        case Multiply():
            return _products(layer, tensors)
        case PiecewiseLinear():
            return _both_pieces(layer, x)
        case AbsoluteSum():
            size, count = _magnitudes(x), _summed(layer, x)
            return Interval(np.array([size[0] * count], np.int64), np.array([size[1] * count], np.int64))
        case _:
            return None


def _products(layer: Multiply, tensors: Mapping[str, Tensor]) -> Interval:
    """(C,) a * b + bias, from the ends of both ranges; constants by channel."""
    a = tensors[layer.inputs[0]]
    ends = (a.lo - a.zero_point, a.hi - a.zero_point)
    if layer.factor is None:
        b = tensors[layer.inputs[1]]
        others = np.array([[b.lo - b.zero_point], [b.hi - b.zero_point]], np.int64)
    else:
        factor = np.broadcast_to(layer.factor.astype(np.int64), a.shape)
        rows = np.moveaxis(factor, layer.axis, 0).reshape(a.shape[layer.axis], -1)
        others = np.stack([rows.min(axis=1), rows.max(axis=1)])
    corners = np.concatenate([end * others for end in ends]) + layer.bias.astype(np.int64)
    return Interval(corners.min(axis=0), corners.max(axis=0))


def _pieces(layer: PiecewiseLinear, x: Tensor) -> list[tuple[Int64Array, Int64Array]]:
    """For the piece below the knee and the one above: (2, C) its first and last v, and (C,) whether there is any."""
    knee = layer.knee.astype(np.int64)
    least, most = x.lo - x.zero_point, x.hi - x.zero_point
    below = np.stack([np.full_like(knee, least), np.minimum(knee - 1, most)])
    above = np.stack([np.maximum(knee, least), np.full_like(knee, most)])
    return [(ends, ends[0] <= ends[1]) for ends in (below, above)]


def _both_pieces(layer: PiecewiseLinear, x: Tensor) -> Interval:
    """(C,) v * multiplier + offset over the v that each piece has."""
    los, his = [], []
    for k, (ends, some) in enumerate(_pieces(layer, x)):
        sums = ends * layer.multiplier[k].astype(np.int64) + layer.offset[k].astype(np.int64)
        los.append(np.where(some, sums.min(axis=0), np.iinfo(np.int64).max))
        his.append(np.where(some, sums.max(axis=0), np.iinfo(np.int64).min))
    return Interval(np.min(los, axis=0), np.max(his, axis=0))


def _largest_piece(layer: PiecewiseLinear, x: Tensor) -> int:
    """|v * multiplier| + |offset| + the rounding constant, at its largest."""
    sums = [
        np.where(
            some,
            np.abs(ends * layer.multiplier[k].astype(np.int64)).max(axis=0) + np.abs(layer.offset[k].astype(np.int64)),
            0,
        )
        for k, (ends, some) in enumerate(_pieces(layer, x))
    ]
    return int(np.max(sums)) + (1 << (layer.shift - 1))


def _magnitudes(x: Tensor) -> tuple[int, int]:
    """Least and largest |stored - zero_point|."""
    lo, hi = x.lo - x.zero_point, x.hi - x.zero_point
    return max(lo, -hi, 0), max(-lo, hi)


def _summed(layer: AbsoluteSum, x: Tensor) -> int:
    return math.prod(x.shape[axis] for axis in layer.axes)


def output_range(layer: Layer, tensors: Mapping[str, Tensor], acc: Interval | None) -> tuple[int, int]:
    """Proved [lo, hi] of the layer's output; (0, 0) for floating-point outputs."""
    ending = ending_of(layer)
    inputs = [tensors[name] for name in layer.inputs]
    if isinstance(ending, Requantization) and acc is not None:
        return int(requantize(acc.lo, ending).min()), int(requantize(acc.hi, ending).max())
    if isinstance(ending, Threshold):
        return -1, 1
    if isinstance(ending, Accumulator) and acc is not None:
        return acc.span
    match layer:
        case Binarize() | BinaryMaxPool():
            return -1, 1
        case PiecewiseLinear() if acc is not None:
            return int(requantize(acc.lo, layer.rounding).min()), int(requantize(acc.hi, layer.rounding).max())
        case Quantize():
            return tensors[layer.output].lo, tensors[layer.output].hi
        case MaxPool() | Reshape() | Transpose() | Concat():
            return min(t.lo for t in inputs), max(t.hi for t in inputs)
        case Table():
            results = layer.results(inputs[0].lo, inputs[0].hi)
            return int(results.min()), int(results.max())
        case ArgMax():
            return 0, inputs[0].shape[-1] - 1
        case _:
            return 0, 0


def _limits(layer: Layer) -> Int64Array:
    """(C,) or (1,) magnitudes of the layer's limits, which kernels take off the bias; 0 where it has none."""
    ending = ending_of(layer)
    limit = ending.limit if isinstance(ending, Threshold) else np.zeros(1, np.int32)
    magnitude: Int64Array = np.abs(limit.astype(np.int64))
    return magnitude


def _largest_sum(layer: Layer, tensors: Mapping[str, Tensor]) -> int:
    """The largest magnitude that any partial sum inside the layer can reach; 0 where nothing is summed."""
    match layer:
        case Conv() | MatMul() | ShiftConv() | ShiftMatMul() | BinaryConv() | BinaryMatMul():
            bits = tensors[layer.inputs[0]].bits
            return int((partial_sum_bound(_weights(layer), layer.bias, bits) + _limits(layer)).max(initial=0))
        case AveragePool():
            return 2 * STORED_SPAN * layer.kernel[0] * layer.kernel[1]
        case Add():
            pairs = zip(layer.inputs, layer.multipliers, strict=True)
            total = sum(max(-lo, hi) * m for (lo, hi), m in ((true_interval(tensors[n]), m) for n, m in pairs))
            return total + (1 << (layer.requant.shift - 1))
        case Multiply():
            return STORED_SPAN**2 + int((np.abs(layer.bias.astype(np.int64)) + _limits(layer)).max(initial=0))
        case PiecewiseLinear():
            return _largest_piece(layer, tensors[layer.inputs[0]])
        case AbsoluteSum():
            return 2 * STORED_SPAN * _summed(layer, tensors[layer.inputs[0]])
        case Softmax():
            return int(layer.table.max()) * tensors[layer.inputs[0]].shape[-1]
        case _:
            return 0


def _place(layer: Layer) -> str:
    return f"{layer.kind} {layer.name!r}" + (f" ({layer.source})" if layer.source else "")


def prove_layer(layer: Layer, tensors: Mapping[str, Tensor], problems: Problems) -> tuple[Layer, Tensor]:
    """The layer with its accumulator range and `wide` settled, and its output with its proved range.

    A sum that could pass int32 is added to `problems`.
    """
    largest = _largest_sum(layer, tensors)
    if largest > INT32_MAX:
        what = f"its sums can reach {largest:,}, past int32's {INT32_MAX:,}"
        wide = any(tensors[name].bits == 16 for name in layer.inputs)
        problems.add(what, where=_place(layer), why=_GREW_PAST, fix=_NARROWER if wide else _SPLIT)
        return layer, tensors[layer.output]
    acc = accumulator(layer, tensors)
    lo, hi = output_range(layer, tensors, acc)
    proved = replace(layer, acc=acc.span) if acc is not None else layer
    ending = ending_of(layer)
    if acc is not None and isinstance(ending, Requantization):
        fits = isinstance(layer, Add) or product_fits_int32(ending.multiplier, ending.shift, acc.magnitude)
        field = "ending" if hasattr(layer, "ending") else "requant"
        changed: dict[str, Any] = {field: replace(ending, wide=not fits)}
        proved = replace(proved, **changed)
    limit = ending.limit if isinstance(ending, Threshold) else layer.limit if isinstance(layer, Binarize) else None
    if acc is not None and limit is not None and ((limit < acc.lo) | (limit > acc.hi + 1)).any():
        problems.add("a limit is one that no accumulator reaches", where=_place(layer), why=_UNREACHABLE, fix=_AGAIN)
    return proved, replace(tensors[layer.output], lo=lo, hi=hi)


def prove(graph: ExactGraph) -> ExactGraph:
    """The same graph with every range proved from its quantized inputs on.

    Raises:
        TinsmithError: one problem for each layer with a sum that could pass int32.
    """
    problems = Problems()
    tensors = dict(graph.tensors)
    layers = []
    for layer in graph.layers:
        proved, tensors[layer.output] = prove_layer(layer, tensors, problems)
        layers.append(proved)
    problems.check()
    return replace(graph, tensors=tensors, layers=tuple(layers))
