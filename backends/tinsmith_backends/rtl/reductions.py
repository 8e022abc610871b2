"""Layers that reduce each channel on its own: pools and depthwise convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import AveragePool, BinaryMaxPool, Conv, Ending, MaxPool, ShiftConv, Tensor

from tinsmith_backends.rtl.adder import engine as adder
from tinsmith_backends.rtl.adder.trace import Matrix, extremes
from tinsmith_backends.rtl.folding import ADDERS, LANES, Folding, Work, candidates
from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering, identifier, image, signed, sum_width, width
from tinsmith_backends.rtl.windows import Geometry, Pair, geometry, windows
from tinsmith_backends.rtl.words import memory, signed_width
from tinsmith_backends.zero_points import folded_bias

Vector = npt.NDArray[np.int64]

MAXIMUM, SUM, DEPTHWISE, MINIMUM = 0, 1, 2, 3
"""OP of tsm_lanes."""


def depthwise(state: Lowering, layer: Conv | ShiftConv) -> None:
    """A filter a channel."""
    kernel = (layer.weight.shape[2], layer.weight.shape[3])
    filters = layer.weight.astype(np.int64).reshape(layer.weight.shape[0], -1).T
    _weighted(state, layer, kernel, DEPTHWISE, filters, layer.bias, layer.ending)


def average_pool(state: Lowering, layer: AveragePool) -> None:
    """A sum, whose requantization divides."""
    channels = image(state.tensor(layer.output))[1]
    ones = np.ones((layer.kernel[0] * layer.kernel[1], channels), np.int64)
    _weighted(state, layer, layer.kernel, SUM, ones, np.zeros(channels, np.int64), layer.requant)


def _weighted(state: Lowering, layer: Any, kernel: Pair, op: int, filters: Matrix, bias: Any, ending: Ending) -> None:
    """A weighted sum a channel; filters (taps, channels)."""
    x, channels = state.tensor(layer.inputs[0]), filters.shape[1]
    form = geometry(layer, kernel, x, state.tensor(layer.output))
    bias = folded_bias(filters.T, bias, x.zero_point)
    # A row for each lane of a window: all of its channels at each of its taps.
    matrix = np.einsum("tc,cd->tcd", filters, np.eye(channels, dtype=np.int64)).reshape(-1, channels)
    work = _work(form, channels, op, x, sum_width(layer))
    chosen = state.choose(
        layer, [*candidates(LANES, work), *adder.candidates(work, matrix, ending, direct=form.direct)]
    )
    if chosen.kind == ADDERS:
        vectors = _windows(state, layer, form, chosen.folding, x.zero_point)
        lanes = adder.lanes_of(x, len(matrix), x.zero_point)
        adder.weighted(state, layer, vectors, lanes, matrix, bias, ending)
        return
    sums, cycles = _reduced(state, layer, form, chosen.folding, op, sum_width(layer), x.zero_point, bias)
    state.end(layer, sums, ending, channels, cycles=cycles)


def max_pool(state: Lowering, layer: MaxPool | BinaryMaxPool) -> None:
    """Of bits, the greatest value is the least bit: 1 is -1. Padding never wins."""
    x = state.tensor(layer.inputs[0])
    least = isinstance(layer, BinaryMaxPool) and int(layer.sign[0]) > 0
    loses = 1 if least else 1 << 7 if signed(x) else 0
    form, channels = geometry(layer, layer.kernel, x, state.tensor(layer.output)), image(x)[1]
    op = MINIMUM if least else MAXIMUM
    work = _work(form, channels, op, x, width(x))
    signs = np.broadcast_to(getattr(layer, "sign", -1), (channels,))
    folded = candidates(LANES, work) if len(set(signs.tolist())) == 1 else ()  # tsm_lanes does the same in all lanes
    chosen = state.choose(layer, [*folded, *adder.reduction(work, direct=form.direct)])
    if chosen.kind == ADDERS:
        vectors = _windows(state, layer, form, chosen.folding, loses)
        lanes = adder.lanes_of(x, vectors.lanes, -128 if signed(x) else 0)
        adder.place(state, layer, vectors, extremes(lanes, (signs > 0).tolist()))
        return
    none = np.zeros(channels, np.int64)
    out, _ = _reduced(state, layer, form, chosen.folding, op, width(x), loses, none)
    state.produce(layer.output, out)


def _work(form: Geometry, channels: int, op: int, x: Tensor, acc: int) -> Work:
    """What is done for an image; accumulators have `acc` bits."""
    product = 10.0 * width(x) if op == DEPTHWISE else 1.5 * width(x)
    columns = 0 if form.direct else form.columns
    size = (form.pixels, form.taps, channels, 1, form.pixels_in, columns)
    return Work(*size, product, width(x), 3.0 * acc, side_by_side=True)


def _windows(state: Lowering, layer: Any, form: Geometry, folding: Folding, pad: int) -> Wire:
    """The stream of windows that an engine of this folding reads."""
    vectors = state.consume(layer.inputs[0], folding.lanes)
    if form.direct:
        return vectors
    return windows(state, layer.name, vectors, form, taps=folding.taps, outer=True, pad=pad)


def _reduced(
    state: Lowering, layer: Any, form: Geometry, folding: Folding, op: int, acc: int, pad: int, bias: Vector
) -> tuple[Wire, int]:
    """Windows of an image, reduced lane by lane: `acc` bits a lane; and the clocks that it takes.

    `bias` is one a channel, of a sum the same for all.
    """
    x, channels = state.tensor(layer.inputs[0]), image(state.tensor(layer.output))[1]
    vectors = _windows(state, layer, form, folding, pad)
    out = state.wire(folding.lanes, acc, form.pixels * channels // folding.lanes)
    parameters = _parameters(form, folding, channels) | {"OP": op, "X_W": width(x), "X_SIGNED": signed(x), "ACC_W": acc}
    memories: dict[str, str] = {}
    if op == DEPTHWISE:
        files, memories = _memories(layer, bias, folding, acc, pixels_outer=form.whole_image)
        parameters |= files
    elif bias[0]:
        parameters |= {"START": int(bias[0])}
    cycles = vectors.words
    state.add(layer.name, "tsm_lanes", parameters, {"s": vectors}, {"m": out}, cycles=cycles, memories=memories)
    # A pool of the whole image gives all of its channels in a row, faster than an ending with few lanes takes them.
    return state.queued(layer.name, out, out.words + 1) if form.whole_image else out, cycles


def _parameters(form: Geometry, folding: Folding, channels: int) -> dict[str, Parameter]:
    return {
        "LANES": folding.lanes,
        "TAPS": form.taps,
        "PARALLEL": folding.taps,
        "FOLDS": channels // folding.lanes,
        "PIXELS_OUTER": int(form.whole_image),
    }


def _memories(
    layer: Conv, bias: Vector, folding: Folding, acc: int, *, pixels_outer: bool
) -> tuple[dict[str, Parameter], dict[str, str]]:
    """Weights by fold of channels, tap and lane (or by tap, fold and lane), and biases by fold and lane."""
    weight, lanes = layer.weight.astype(np.int64), folding.lanes
    channels, bits = weight.shape[0], signed_width(int(weight.min()), int(weight.max()))
    order = (2, 0, 1) if pixels_outer else (0, 2, 1)
    rows = weight.reshape(channels // lanes, lanes, -1).transpose(order).reshape(-1, lanes * folding.taps)
    names = [f"{identifier(layer.name)}_{what}.mem" for what in ("weights", "biases")]
    biases = bias.reshape(-1, lanes)
    files: dict[str, Parameter] = {"W_W": bits, "WEIGHTS": names[0], "BIASES": names[1]}
    return files, {names[0]: memory(rows, bits), names[1]: memory(biases, acc)}
