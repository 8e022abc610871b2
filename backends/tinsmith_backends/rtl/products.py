"""Matrix products and convolutions: a window former, a matrix-vector unit, an ending."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.ir.codes import encode
from tinsmith.ir.exact import (
    BinaryConv,
    BinaryMatMul,
    Conv,
    Layer,
    MatMul,
    Requantization,
    ShiftConv,
    ShiftMatMul,
    Tensor,
)

from tinsmith_backends.rtl.adder import engine as adder
from tinsmith_backends.rtl.folding import ADDERS, MATRIX_VECTOR, Folding, Work, candidates
from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering, identifier, signed, sum_width, width
from tinsmith_backends.rtl.windows import geometry, windows
from tinsmith_backends.rtl.words import folded, memory, signed_width
from tinsmith_backends.zero_points import folded_bias

MULTIPLY, SHIFT, XNOR = 0, 1, 2
"""KIND of tsm_mvu."""
Matrix = npt.NDArray[np.int64]
Vector = npt.NDArray[np.int64]


def conv(state: Lowering, layer: Conv | BinaryConv | ShiftConv) -> None:
    """A dense convolution."""
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    weight = _dense(layer.weight.astype(np.int64), getattr(layer, "group", 1))
    outputs, inputs, kh, kw = weight.shape
    form = geometry(layer, (kh, kw), x, y)
    direct = form.direct
    columns = 0 if direct else form.columns
    work = Work(form.pixels, form.taps, inputs, outputs, form.pixels_in, columns, *_luts(layer, x))
    window = _in_order(weight, Folding(outputs, inputs, form.taps)).T
    found = [*candidates(MATRIX_VECTOR, work), *adder.candidates(work, window, layer.ending, direct=direct)]
    chosen = state.choose(layer, found)
    folding = chosen.folding
    vectors = state.consume(x.name, folding.lanes)
    pad = int(layer.pad_value == -1) if isinstance(layer, BinaryConv) else x.zero_point
    bias = folded_bias(window.T, layer.bias, x.zero_point)
    if not direct:
        vectors = windows(state, layer.name, vectors, form, taps=folding.taps, outer=folding.taps > 1, pad=pad)
    if chosen.kind == ADDERS:
        lanes = adder.lanes_of(x, len(window), None if direct else pad)
        adder.weighted(state, layer, vectors, lanes, window, bias, layer.ending)
        return
    steady = direct or (folding.taps > 1 and form.strides[1] == 1 and form.out[1] == form.size[1])
    matrix = _in_order(weight, folding)
    _multiply(state, layer, vectors, matrix, bias, folding.pe, signed(x), steady=steady, queue=direct)


def _dense(weight: Matrix, groups: int) -> Matrix:
    """The weights of a grouped convolution among those of all channels, which are 0."""
    outputs, inputs, kh, kw = weight.shape
    dense = np.zeros((outputs, groups, inputs, kh, kw), np.int64)
    dense[np.arange(outputs), np.arange(outputs) * groups // outputs] = weight
    return dense.reshape(outputs, groups * inputs, kh, kw)


def _in_order(weight: Matrix, folding: Folding) -> Matrix:
    """Weights (outputs, channels, kh, kw) as a matrix (outputs, inputs) in the order of the windows."""
    outputs, channels, kh, kw = weight.shape
    lanes = channels if folding.taps == 1 else folding.lanes
    blocks = weight.reshape(outputs, channels // lanes, lanes, kh * kw)
    return blocks.transpose(0, 1, 3, 2).reshape(outputs, -1)


def matmul(state: Lowering, layer: MatMul | BinaryMatMul | ShiftMatMul) -> None:
    """A product of one row; a flattened image comes channels last, so the rows of its matrix stand in that order."""
    x = state.tensor(layer.inputs[0])
    pixels, channels = state.form(x.name)
    k, outputs = layer.weight.shape
    order = np.arange(k).reshape(channels, pixels).T.ravel()
    work = Work(1, 1, k, outputs, 1, 0, *_luts(layer, x))
    matrix = layer.weight.astype(np.int64)[order]
    found = [*candidates(MATRIX_VECTOR, work), *adder.candidates(work, matrix, layer.ending, direct=True)]
    chosen = state.choose(layer, found)
    vectors = state.consume(x.name, chosen.folding.lanes)
    bias = folded_bias(matrix.T, layer.bias, x.zero_point)
    if chosen.kind == ADDERS:
        adder.weighted(state, layer, vectors, adder.lanes_of(x, k), matrix, bias, layer.ending)
        return
    _multiply(state, layer, vectors, matrix.T, bias, chosen.folding.pe, signed(x), steady=True, queue=True)


def _luts(layer: Any, x: Tensor) -> tuple[float, int, float]:
    """`Work`'s product_luts, input_bits and output_luts."""
    acc, bits = sum_width(layer), width(x)
    ending = 2.0 * acc + 16 if isinstance(layer.ending, Requantization) else 1.0
    if isinstance(layer, BinaryConv | BinaryMatMul):
        return 2.5, bits, 2 * acc + ending
    if isinstance(layer, ShiftConv | ShiftMatMul):
        return (layer.bits + 1.0) * (bits + 2 ** (layer.bits - 1)), bits, 2 * acc + ending
    return 10.0 * bits, bits, 2 * acc + ending  # by a weight of 8 bits, and an addition


def _multiply(
    state: Lowering,
    layer: Any,
    vectors: Wire,
    matrix: Matrix,
    bias: Vector,
    pe: int,
    sign: int,
    *,
    steady: bool,
    queue: bool,
) -> None:
    """A matrix-vector unit and its ending.

    Args:
        state: gets the instances.
        layer: the layer.
        vectors: its inputs.
        matrix: (outputs, inputs) in the order of the stream.
        bias: (outputs,), zero points in it.
        pe: outputs a clock.
        sign: whether inputs are signed.
        steady: whether a word behind the other comes without a pause, so that the unit need not keep one.
        queue: whether the stream has no buffer of its own that goes on while the unit reads a vector again.
    """
    simd, (outputs, inputs) = vectors.lanes, matrix.shape
    folds = (inputs // simd, outputs // pe)
    if queue and folds[1] > 1:
        vectors = state.queued(layer.name, vectors, folds[0] + 2)
    acc = sum_width(layer)
    kind, weights, bits = _weights(layer, matrix)
    inverted = (matrix < 0).sum(axis=1) if kind == SHIFT else 0  # their terms are one too small
    names = [f"{identifier(layer.name)}_{what}.mem" for what in ("weights", "biases")]
    parameters: dict[str, Parameter] = {
        "PE": pe,
        "SIMD": simd,
        "INPUT_FOLDS": folds[0],
        "OUTPUT_FOLDS": folds[1],
        "HOLD": int(steady and folds[0] == 1),
        "KIND": kind,
        "X_W": vectors.width,
        "X_SIGNED": sign,
        "W_W": bits,
        "ACC_W": acc,
        "WEIGHTS": names[0],
        "BIASES": names[1],
    }
    vector_count = vectors.words // folds[0]
    sums = state.wire(pe, acc, vector_count * folds[1])
    biases = (bias + inverted).reshape(-1, pe)
    memories = {names[0]: memory(folded(weights, pe, simd), bits), names[1]: memory(biases, acc)}
    cycles = vector_count * folds[0] * folds[1]
    state.add(layer.name, "tsm_mvu", parameters, {"s": vectors}, {"m": sums}, cycles=cycles, memories=memories)
    state.end(layer, sums, layer.ending, outputs, cycles=cycles)


def _weights(layer: Layer, matrix: Matrix) -> tuple[int, Matrix, int]:
    """KIND of tsm_mvu, the weights as it reads them, and their bits."""
    if isinstance(layer, BinaryConv | BinaryMatMul):
        return XNOR, (matrix < 0).astype(np.int64), 1
    if isinstance(layer, ShiftConv | ShiftMatMul) and np.all(matrix):  # groups bring zeros, which no shift makes
        return SHIFT, encode(matrix.astype(np.int16), layer.bits).astype(np.int64), layer.bits
    return MULTIPLY, matrix, signed_width(int(matrix.min()), int(matrix.max()))
