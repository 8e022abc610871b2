"""Layers that go through one stream value by value: a factor and a bias a channel, and an ending."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import Binarize, Ending, Multiply, PiecewiseLinear, Requantize, Reshape, Table, Threshold

from tinsmith_backends.rtl.adder import engine as adder
from tinsmith_backends.rtl.folding import ADDERS, LANES, Work, candidates
from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering, identifier, signed, sum_width, width
from tinsmith_backends.rtl.reductions import DEPTHWISE, SUM
from tinsmith_backends.rtl.words import memory, signed_width

Vector = npt.NDArray[np.int64]


def binarize(state: Lowering, layer: Binarize) -> None:
    """A threshold of the value or of its negative."""
    _scaled(state, layer, layer.sign, np.zeros(1), Threshold(layer.limit))


def piecewise(state: Lowering, layer: PiecewiseLinear) -> None:
    """Two straight pieces a channel, both computed, one chosen."""
    x = state.tensor(layer.inputs[0])
    (pixels, channels), flat = state.form(x.name), len(x.shape) != 4
    columns = (layer.knee, layer.multiplier[0], layer.offset[0], layer.multiplier[1], layer.offset[1])
    streamed = [_streamed(pixels, channels, column, flat=flat) for column in columns]
    if flat and max(map(len, streamed)) > 1:
        pixels, channels = 1, pixels * channels
    work = Work(pixels, 1, channels, 1, pixels, 0, 0.0, width(x), 0.0, True)
    state.choose(layer, adder.lanewise(work))
    words = state.consume(x.name, channels)
    adder.piecewise(state, layer, words, np.stack([np.broadcast_to(column, (channels,)) for column in streamed]))


def multiply(state: Lowering, layer: Multiply) -> None:
    """By a constant a channel."""
    assert layer.factor is not None
    _scaled(state, layer, layer.factor.ravel(), layer.bias, layer.ending)


def requantize(state: Lowering, layer: Requantize) -> None:
    """Of the value itself."""
    _scaled(state, layer, np.ones(1), np.zeros(1), layer.requant)


def table(state: Lowering, layer: Table) -> None:
    """A memory a lane; few, where the interval leaves time."""
    words = state.narrowed(state.consume(layer.inputs[0]), state.interval)
    out, file = state.wire(words.lanes, 8, words.words), f"{identifier(layer.name)}_table.mem"
    parameters: dict[str, Parameter] = {"LANES": words.lanes, "OUT_W": 8, "TABLE": file}
    state.add(
        layer.name, "tsm_table", parameters, {"s": words}, {"m": out}, memories={file: memory(layer.table[:, None], 8)}
    )
    state.produce(layer.output, out)


def reshape(state: Lowering, layer: Reshape) -> None:
    """The stream stays what it is; its words may be in another order than the flattened tensor's."""
    state.produce(layer.output, state.consume(layer.inputs[0]))


def _scaled(state: Lowering, layer: Any, factor: npt.NDArray[Any], bias: npt.NDArray[Any], ending: Ending) -> None:
    """value * factor[c] + bias[c], and the ending; one value stands for all channels."""
    x = state.tensor(layer.inputs[0])
    (pixels, channels), acc = state.form(x.name), sum_width(layer)
    factor, bias, ending, whole = _in_order(pixels, channels, factor, bias, ending, flat=len(x.shape) != 4)
    if whole:
        pixels, channels = 1, pixels * channels
    product = 0.0 if np.all(factor == 1) else float(width(x)) * signed_width(int(factor.min()), int(factor.max()))
    work = Work(pixels, 1, channels, 1, pixels, 0, product, width(x), 3.0 * acc, True)
    bias = bias - x.zero_point * factor
    matrix = np.diag(np.broadcast_to(factor, (channels,))) if channels**2 <= adder.MOST_WEIGHTS else None
    graphs = [] if matrix is None else adder.candidates(work, matrix, ending, direct=True)
    chosen = state.choose(layer, [*candidates(LANES, work), *graphs])
    words = state.consume(x.name, chosen.folding.lanes)
    if chosen.kind == ADDERS and matrix is not None:
        biases = np.broadcast_to(bias, (channels,))
        adder.weighted(state, layer, words, adder.lanes_of(x, channels), matrix, biases, ending)
        return
    sums = _products(state, layer, words, np.broadcast_to(factor, channels), np.broadcast_to(bias, channels), acc)
    state.end(layer, sums, ending, channels, cycles=sums.words)


def _in_order(
    pixels: int, channels: int, factor: npt.NDArray[Any], bias: npt.NDArray[Any], ending: Ending, *, flat: bool
) -> tuple[Vector, Vector, Ending, bool]:
    """The constants of a channel each, or, with the last True, of each value of a flattened image as it streams."""

    factor, bias = (_streamed(pixels, channels, vector, flat=flat) for vector in (factor, bias))
    if isinstance(ending, Threshold):
        ending = Threshold(_streamed(pixels, channels, ending.limit, flat=flat).astype(np.int32))
    longest = max(len(factor), len(bias), len(ending.limit) if isinstance(ending, Threshold) else 1)
    return factor, bias, ending, flat and longest > 1


def _streamed(pixels: int, channels: int, vector: npt.NDArray[Any], *, flat: bool) -> Vector:
    """Constants of a flattened image in the order of its stream; one where all are the same."""
    values = vector.astype(np.int64).ravel()
    if len(values) == pixels * channels and flat:
        values = values.reshape(channels, pixels).T.ravel()
    return values[:1] if np.all(values == values[0]) else values


def _products(state: Lowering, layer: Any, words: Wire, factor: Vector, bias: Vector, acc: int) -> Wire:
    """The scaled values: `acc` bits a lane."""
    x, channels = state.tensor(layer.inputs[0]), len(factor)
    sums = state.wire(words.lanes, acc, words.words)
    parameters: dict[str, Parameter] = {"LANES": words.lanes, "TAPS": 1, "PARALLEL": 1, "PIXELS_OUTER": 0}
    parameters |= {"FOLDS": channels // words.lanes, "X_W": width(x), "X_SIGNED": signed(x), "ACC_W": acc}
    memories: dict[str, str] = {}
    if np.all(factor == 1) and np.all(bias == bias[0]):
        parameters |= {"OP": SUM} | ({"START": int(bias[0])} if bias[0] else {})
    else:
        bits = signed_width(int(factor.min()), int(factor.max()))
        names = [f"{identifier(layer.name)}_{what}.mem" for what in ("weights", "biases")]
        rows = [values.reshape(-1, words.lanes) for values in (factor, bias)]
        memories = {names[0]: memory(rows[0], bits), names[1]: memory(rows[1], acc)}
        parameters |= {"OP": DEPTHWISE, "W_W": bits, "WEIGHTS": names[0], "BIASES": names[1]}
    state.add(layer.name, "tsm_lanes", parameters, {"s": words}, {"m": sums}, memories=memories)
    return sums
