"""Layers that reduce each channel on its own: pools and depthwise convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from tinsmith.ir.exact import AveragePool, BinaryMaxPool, Conv, MaxPool

from tinsmith_backends.rtl.folding import LANES, Folding, Work, candidates
from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering, identifier, image, signed, width
from tinsmith_backends.rtl.windows import Geometry, geometry, windows
from tinsmith_backends.rtl.words import memory, signed_width

MAXIMUM, SUM, DEPTHWISE, MINIMUM = 0, 1, 2, 3
"""OP of tsm_lanes."""


def depthwise(state: Lowering, layer: Conv) -> None:
    """A filter a channel."""
    kernel = (layer.weight.shape[2], layer.weight.shape[3])
    sums, cycles = _reduced(state, layer, kernel, DEPTHWISE, signed_width(*layer.acc))
    state.end(layer, sums, layer.ending, layer.weight.shape[0], cycles=cycles)


def average_pool(state: Lowering, layer: AveragePool) -> None:
    """A sum, whose requantization divides."""
    sums, cycles = _reduced(state, layer, layer.kernel, SUM, signed_width(*layer.acc))
    state.end(layer, sums, layer.requant, image(state.tensor(layer.output))[1], cycles=cycles)


def max_pool(state: Lowering, layer: MaxPool | BinaryMaxPool) -> None:
    """Of bits, the greatest value is the least bit: 1 is -1. Padding never wins."""
    x = state.tensor(layer.inputs[0])
    least = isinstance(layer, BinaryMaxPool) and int(layer.sign[0]) > 0
    loses = 1 if least else 1 << 7 if signed(x) else 0
    out, _ = _reduced(state, layer, layer.kernel, MINIMUM if least else MAXIMUM, width(x), loses)
    state.produce(layer.output, out)


def _reduced(state: Lowering, layer: Any, kernel: tuple[int, int], op: int, acc: int, pad: int = 0) -> tuple[Wire, int]:
    """Windows of an image, reduced lane by lane: `acc` bits a lane; and the clocks that it takes."""
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    form, channels = geometry(layer, kernel, x, y), image(y)[1]
    product = width(x) * (width(x) + 2.0) if op == DEPTHWISE else 1.5 * width(x)
    columns = 0 if form.whole_image or form.trivial else form.columns
    size = (form.pixels, form.taps, channels, 1, form.pixels_in, columns)
    work = Work(*size, product, width(x), 3.0 * acc, side_by_side=True)
    folding = state.choose(layer, candidates(LANES, work)).folding
    vectors = state.consume(x.name, folding.lanes)
    if not (form.trivial or form.whole_image):
        vectors = windows(state, layer.name, vectors, form, taps=folding.taps, outer=True, pad=pad)
    out = state.wire(folding.lanes, acc, form.pixels * channels // folding.lanes)
    parameters = _parameters(form, folding, channels) | {"OP": op, "X_W": width(x), "X_SIGNED": signed(x), "ACC_W": acc}
    memories: dict[str, str] = {}
    if op == DEPTHWISE:
        files, memories = _memories(layer, folding, acc, pixels_outer=form.whole_image)
        parameters |= files
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
    layer: Conv, folding: Folding, acc: int, *, pixels_outer: bool
) -> tuple[dict[str, Parameter], dict[str, str]]:
    """Weights by fold of channels, tap and lane (or by tap, fold and lane), and biases by fold and lane."""
    weight, lanes = layer.weight.astype(np.int64), folding.lanes
    channels, bits = weight.shape[0], signed_width(int(weight.min()), int(weight.max()))
    order = (2, 0, 1) if pixels_outer else (0, 2, 1)
    rows = weight.reshape(channels // lanes, lanes, -1).transpose(order).reshape(-1, lanes * folding.taps)
    names = [f"{identifier(layer.name)}_{what}.mem" for what in ("weights", "biases")]
    biases = np.asarray(layer.bias, np.int64).reshape(-1, lanes)
    files: dict[str, Parameter] = {"W_W": bits, "WEIGHTS": names[0], "BIASES": names[1]}
    return files, {names[0]: memory(rows, bits), names[1]: memory(biases, acc)}
