"""Scales of int8 weights, one an output channel, zero point 0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinsmith.numerics.grid import LARGEST_RANGE, SMALLEST_RANGE, power_of_two_above
from tinsmith.numerics.lattice import lattice_scales
from tinsmith.numerics.ranges import REACH
from tinsmith.numerics.requantize import INT32_MAX

FloatArray = npt.NDArray[np.float32]
Int8Array = npt.NDArray[np.int8]

SMALLEST_PART = 2.0**-12
"""The least scale of a channel, as a part of the largest in its tensor.

All channels of a tensor share one shift, so a multiplier has log2(largest scale / own scale) bits fewer than the
largest one; at 31 bits this leaves every channel at least 18, an error of 2**-19. A channel with such small weights
adds next to nothing to the tensor, which has one 8-bit grid for all channels.
"""
HARMLESS = 1 / 32
"""The root mean square error, in steps of the layer's output, that a coarser scale may cause.

Rounding the output causes 0.29, so this adds 1 % to its noise power. With it, 11 layers of 22 instead of 16 need a
64-bit product in a CIFAR ResNet20 that has dead channels, at the same accuracy.
"""


def quantize_weight(weight: npt.NDArray[np.floating], scales: npt.NDArray[np.floating]) -> Int8Array:
    """Weight (channels, …) on its grid: round half to even, within [-127, 127]."""
    shaped = scales.astype(np.float64).reshape(-1, *[1] * (weight.ndim - 1))
    return np.clip(np.rint(weight / shaped), -127, 127).astype(np.int8)


def weight_scales(
    weight: FloatArray,
    bias: FloatArray,
    *,
    input_scale: float,
    output_scale: float,
    input_rms: float,
    per_channel: bool,
    powers_of_two: bool = False,
    input_bits: int = 8,
) -> FloatArray:
    """Scales for `weight` (channels, …), as an array (channels,) even where all are one.

    The largest weight of a channel becomes 127 or -127; scales are raised where they would be less than
    `SMALLEST_PART` of the largest, where that does no harm (`HARMLESS`), and where the bias in steps of
    input_scale * scale would not fit int32 together with the products, or the products of 16 bits alone. Weights that
    lie on a grid already (lattice.py) stay on it: its step, or the largest part of it that rounds the bias harmlessly,
    is the scale.

    Args:
        weight: (channels, …), finite.
        bias: (channels,), finite.
        input_scale: scale of the layer's input.
        output_scale: scale of the layer's output.
        input_rms: root mean square of the input's real values, or an upper bound of it.
        per_channel: False gives every channel the scale of the one that needs the largest.
        powers_of_two: the next power of two above each scale.
        input_bits: of the layer's input.

    Raises:
        OverflowError: the bias is so large that no scale does.
    """
    largest = _largest(weight, per_channel)
    if largest.max() < SMALLEST_RANGE:
        # No weight at all: only the bias counts, and this scale states it in 1024ths of an output step.
        scales = np.full(len(weight), output_scale / input_scale / 1024)
    else:
        own = _own_steps(
            weight, bias.astype(np.float64) / input_scale, HARMLESS * output_scale / input_scale, per_channel
        )
        scales = np.where(np.isnan(own), largest / 127, own)
        least = scales.max() * SMALLEST_PART
        tolerance = HARMLESS * output_scale / input_rms if input_rms else np.inf
        raised = _raised_where_harmless(weight, np.maximum(scales, least), tolerance)
        scales = np.where(own >= least, own, raised)
    if powers_of_two:
        scales = np.array([power_of_two_above(scale) for scale in scales])
    scales = scales.astype(np.float32)
    needed = _raised_to_fit(weight, bias.astype(np.float64), scales, input_scale, REACH[input_bits])
    return needed if per_channel else np.full_like(needed, needed.max())


def threshold_scales(weight: FloatArray, *, per_channel: bool, input_bits: int = 8) -> FloatArray:
    """Scales (channels,) for a layer that ends in a threshold: no channel's scale matters to another's.

    A channel without weights gets scale 1; its bias alone decides. The largest weight of others becomes 127 or -127,
    unless products of 16 bits need larger steps to fit int32 beside the limit, which is one of their sums.
    """
    scales = _largest_as_127(weight, per_channel=per_channel)
    if input_bits < 16:
        return scales
    needed = _raised_to_fit(weight, np.zeros(len(weight)), scales, 1.0, 2 * REACH[input_bits])
    return needed if per_channel else np.full_like(needed, needed.max())


def _largest_as_127(weight: FloatArray, *, per_channel: bool) -> FloatArray:
    """Scales (channels,) that make the largest weight ±127; weights that lie on a grid already stay on it."""
    largest, own = _largest(weight, per_channel), _lattice(weight, per_channel)
    scales = np.where(np.isnan(own), largest / 127, own)
    return np.where(largest < SMALLEST_RANGE, 1.0, scales).astype(np.float32)


def accumulator_scales(weight: FloatArray, bias: FloatArray, *, input_scale: float, input_bits: int = 8) -> FloatArray:
    """Scales (channels,) for a layer that puts out its accumulators: one for all, so that one real value a step is.

    The largest weight becomes 127 or -127, unless biases, or products of 16 bits, need larger steps to fit int32.

    Raises:
        OverflowError: a bias is so large that no scale does.
    """
    scales = _largest_as_127(weight, per_channel=False)
    needed = _raised_to_fit(weight, bias.astype(np.float64), scales, input_scale, REACH[input_bits])
    return np.full_like(needed, needed.max())


def _lattice(weight: FloatArray, per_channel: bool) -> npt.NDArray[np.float64]:
    found = lattice_scales(weight if per_channel else weight.reshape(1, -1))
    return np.broadcast_to(found, (len(weight),))


def _own_steps(
    weight: FloatArray, bias: npt.NDArray[np.float64], tolerance: float, per_channel: bool
) -> npt.NDArray[np.float64]:
    """Each channel's own grid (lattice.py) by the least whole number that rounds the bias within `tolerance`.

    NaN for a channel without one. `bias` and `tolerance` are in units of the input's scale.
    """
    step = _lattice(weight, per_channel)
    if np.isnan(step).all():
        return step
    most = 127 // np.rint(_largest(weight, per_channel) / np.where(np.isnan(step), np.inf, step)).clip(1)
    parts = np.arange(1, 128)[:, None]
    candidate = step / parts
    steps = bias / candidate
    error = np.where(parts <= most, np.abs(steps - np.rint(steps)) * candidate, np.inf)
    first = np.where((error <= tolerance).any(0), (error <= tolerance).argmax(0), error.argmin(0))
    if not per_channel:
        first[:] = first.max()
    return np.asarray(step / (first + 1))


def _largest(weight: FloatArray, per_channel: bool) -> npt.NDArray[np.float64]:
    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1).astype(np.float64)
    return largest if per_channel else np.full_like(largest, largest.max())


def _raised_where_harmless(
    weight: FloatArray, scales: npt.NDArray[np.float64], tolerance: float
) -> npt.NDArray[np.float64]:
    """Scales nearer to the largest where the error of a channel's weights stays within `tolerance`.

    Weak and dead channels would else have small multipliers, and these make the whole tensor need 64-bit products.
    For inputs of root mean square 1, independent but for a common mean, sum(error**2) + sum(error)**2 bounds the
    mean square error of a channel's output.
    """
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    raised, settled = scales.copy(), np.zeros(len(flat), bool)
    for halvings in range(round(-np.log2(SMALLEST_PART))):
        candidate = np.full(len(flat), scales.max() * 2.0**-halvings)
        error = flat - quantize_weight(flat, candidate) * candidate[:, None]
        mean_square = np.square(error).sum(axis=1) + np.square(error.sum(axis=1))
        harmless = ~settled & (candidate > scales) & (mean_square <= tolerance**2)
        raised[harmless] = candidate[harmless]
        settled |= harmless
    return raised


def _raised_to_fit(
    weight: FloatArray, bias: npt.NDArray[np.float64], scales: FloatArray, input_scale: float, reach: int
) -> FloatArray:
    """Doubles the scale of each channel until bias and products, `reach` a unit of weight, fit the accumulator."""
    raised = scales.copy()
    while True:
        quantized = np.abs(quantize_weight(weight, raised).reshape(len(weight), -1).astype(np.int64)).sum(axis=1)
        steps = np.abs(bias) / (input_scale * raised.astype(np.float64))
        over = steps + reach * quantized > INT32_MAX
        # Products of 8 bits that do not fit without a bias are refused with their range: 33,000 weights are a mistake.
        over &= (steps > INT32_MAX / 256) | (reach > REACH[8])
        if not over.any():
            return raised
        if raised[over].max() > LARGEST_RANGE:
            raise OverflowError("no weight scale lets the bias fit a 32-bit accumulator")
        raised[over] *= 2
