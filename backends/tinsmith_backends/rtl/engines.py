"""The engine of each kind of layer. One function a kind; `ENGINES` lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.ir.codes import encode
from tinsmith.ir.exact import (
    Add,
    AveragePool,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Conv,
    Layer,
    MatMul,
    MaxPool,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Tensor,
)

from tinsmith_backends.rtl.folding import Folding, Work
from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering, channels_last, identifier, image, signed, width
from tinsmith_backends.rtl.rings import Rows, ring_rows
from tinsmith_backends.rtl.words import folded, memory, signed_width

MULTIPLY, SHIFT, XNOR = 0, 1, 2
"""KIND of tsm_mvu."""
MAXIMUM, SUM, DEPTHWISE, MINIMUM = 0, 1, 2, 3
"""OP of tsm_lanes."""


def _conv(state: Lowering, layer: Conv | BinaryConv | ShiftConv) -> None:
    if getattr(layer, "group", 1) > 1:
        _depthwise(state, layer)  # type: ignore[arg-type]
        return
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    outputs, inputs, kh, kw = layer.weight.shape
    work = Work(image(y)[0], kh * kw, inputs, outputs)
    folding = state.fold(layer, work)
    words = state.consume(x.name, folding.simd)
    pad = (1 << folding.simd) - 1 if isinstance(layer, BinaryConv) and layer.pad_value == -1 else 0
    vectors = _window(state, layer, words, x, y, (kh, kw), inputs // folding.simd, outer=0, pad=pad)
    matrix = channels_last(layer.weight.astype(np.int64))
    sums = _multiply(state, layer, vectors, matrix, folding, work, signed(x))
    state.end(layer, sums, layer.ending, outputs, windows=state.windows(x.name) + (kh * kw > 1))


def _matmul(state: Lowering, layer: MatMul | BinaryMatMul | ShiftMatMul) -> None:
    """A product of one row; a flattened image comes channels last, so the rows of its matrix stand in that order."""
    x = state.tensor(layer.inputs[0])
    pixels, channels = _before_reshape(state, x)
    k, outputs = layer.weight.shape
    order = np.arange(k).reshape(channels, pixels).T.ravel()
    work = Work(1, pixels, channels, outputs)
    folding = state.fold(layer, work)
    vectors = _queued(state, layer, state.consume(x.name, folding.simd), k // folding.simd)
    matrix = layer.weight.astype(np.int64)[order].T
    sums = _multiply(state, layer, vectors, matrix, folding, work, signed(x))
    state.end(layer, sums, layer.ending, outputs, windows=state.windows(x.name))


def _before_reshape(state: Lowering, x: Tensor) -> tuple[int, int]:
    """Pixels and channels of the image that a flattened tensor was."""
    makers = {layer.output: layer for layer in state.graph.layers}
    while isinstance(maker := makers[x.name], Reshape):
        x = state.tensor(maker.inputs[0])
    return image(x)


def _multiply(
    state: Lowering, layer: Any, vectors: Wire, matrix: npt.NDArray[np.int64], folding: Folding, work: Work, sign: int
) -> Wire:
    """A matrix-vector unit; matrix (outputs, inputs) in the order of the stream."""
    acc = signed_width(*layer.acc)
    kind, weights, bits = _weights(layer, matrix)
    names = [f"{identifier(layer.name)}_{what}.mem" for what in ("weights", "biases")]
    biases = np.asarray(layer.bias, np.int64).reshape(-1, folding.pe)
    parameters: dict[str, Parameter] = {
        "PE": folding.pe,
        "SIMD": folding.simd,
        "INPUT_FOLDS": matrix.shape[1] // folding.simd,
        "OUTPUT_FOLDS": matrix.shape[0] // folding.pe,
        "KIND": kind,
        "X_W": vectors.width,
        "X_SIGNED": sign,
        "W_W": bits,
        "ACC_W": acc,
        "WEIGHTS": names[0],
        "BIASES": names[1],
    }
    sums = state.wire(folding.pe, acc, work.pixels * work.outputs // folding.pe)
    rom = folded(weights, folding.pe, folding.simd)
    memories = {names[0]: memory(rom, bits), names[1]: memory(biases, acc)}
    cycles = work.cycles(folding)
    state.add(layer.name, "tsm_mvu", parameters, {"s": vectors}, {"m": sums}, cycles=cycles, memories=memories)
    return sums


def _weights(layer: Layer, matrix: npt.NDArray[np.int64]) -> tuple[int, npt.NDArray[np.int64], int]:
    """KIND of tsm_mvu, the weights as it reads them, and their bits."""
    if isinstance(layer, BinaryConv | BinaryMatMul):
        return XNOR, (matrix < 0).astype(np.int64), 1
    if isinstance(layer, ShiftConv | ShiftMatMul):
        return SHIFT, encode(matrix.astype(np.int16), layer.bits).astype(np.int64), layer.bits
    return MULTIPLY, matrix, signed_width(int(matrix.min()), int(matrix.max()))


def _window(
    state: Lowering,
    layer: Any,
    words: Wire,
    x: Tensor,
    y: Tensor,
    kernel: tuple[int, int],
    per_pixel: int,
    *,
    outer: int,
    pad: int = 0,
) -> Wire:
    """The pixels under each window of an image; none is needed where a window is a pixel."""
    if kernel == (1, 1) and tuple(layer.strides) == (1, 1) and not any(layer.pads):
        return _queued(state, layer, words, per_pixel)
    dilations = getattr(layer, "dilations", (1, 1))
    span = (kernel[0] - 1) * dilations[0] + 1
    rows = Rows(x.shape[2], y.shape[2], span, layer.strides[0], layer.pads[0])
    parameters: dict[str, Parameter] = {
        "WORD_W": words.bits,
        "WORDS": per_pixel,
        "H": x.shape[2],
        "W": x.shape[3],
        "OH": y.shape[2],
        "OW": y.shape[3],
        "KH": kernel[0],
        "KW": kernel[1],
        "SH": layer.strides[0],
        "SW": layer.strides[1],
        "DH": dilations[0],
        "DW": dilations[1],
        "TOP": layer.pads[0],
        "LEFT": layer.pads[1],
        "CHANNELS_OUTER": outer,
        "ROWS": max(ring_rows(rows) + 1, rows.span + rows.stride),
        "PAD": pad,
    }
    out = state.wire(words.lanes, words.width, image(y)[0] * kernel[0] * kernel[1] * per_pixel)
    state.add(layer.name, "tsm_window", parameters, {"s": words}, {"m": out})
    return out


def _queued(state: Lowering, layer: Layer, words: Wire, vector: int) -> Wire:
    """A queue of one vector, which fills while the unit behind it reads the vector before it again."""
    queued = state.wire(words.lanes, words.width, words.words)
    parameters = {"WIDTH": words.bits, "DEPTH": max(vector, 2)}
    state.add(layer.name, "tsm_fifo", parameters, {"s": words}, {"m": queued})
    return queued


def _reduced(
    state: Lowering, layer: Any, kernel: tuple[int, int], op: int, acc: int, pad: int = 0, **more: Any
) -> Wire:
    """Windows of an image, reduced lane by lane: `acc` bits a lane."""
    x, y = state.tensor(layer.inputs[0]), state.tensor(layer.output)
    pixels, channels = image(y)
    taps = kernel[0] * kernel[1]
    lanes = state.fold(layer, Work(pixels, taps, channels, 1)).simd
    words = state.consume(x.name, lanes)
    padding = sum(pad << (lane * words.width) for lane in range(lanes))
    vectors = _window(state, layer, words, x, y, kernel, channels // lanes, outer=1, pad=padding)
    out = state.wire(lanes, acc, pixels * channels // lanes)
    parameters: dict[str, Parameter] = {
        "LANES": lanes,
        "TAPS": taps,
        "FOLDS": channels // lanes,
        "OP": op,
        "X_W": words.width,
        "X_SIGNED": signed(x),
        "ACC_W": acc,
    }
    memories: dict[str, str] = {}
    if op == DEPTHWISE:
        parameters, memories = _depthwise_memories(layer, lanes, acc, parameters)
    cycles = out.words * taps
    state.add(layer.name, "tsm_lanes", parameters, {"s": vectors}, {"m": out}, cycles=cycles, memories=memories)
    return out


def _depthwise_memories(
    layer: Conv, lanes: int, acc: int, parameters: dict[str, Parameter]
) -> tuple[dict[str, Parameter], dict[str, str]]:
    """Weights by fold of channels, tap and lane, and biases by fold and lane."""
    weight = layer.weight.astype(np.int64)
    channels, bits = weight.shape[0], signed_width(int(weight.min()), int(weight.max()))
    rows = weight.reshape(channels // lanes, lanes, -1).transpose(0, 2, 1).reshape(-1, lanes)
    names = [f"{identifier(layer.name)}_{what}.mem" for what in ("weights", "biases")]
    biases = np.asarray(layer.bias, np.int64).reshape(-1, lanes)
    files: dict[str, Parameter] = {"W_W": bits, "WEIGHTS": names[0], "BIASES": names[1]}
    return parameters | files, {names[0]: memory(rows, bits), names[1]: memory(biases, acc)}


def _depthwise(state: Lowering, layer: Conv) -> None:
    kernel = (layer.weight.shape[2], layer.weight.shape[3])
    sums = _reduced(state, layer, kernel, DEPTHWISE, signed_width(*layer.acc))
    windows = state.windows(layer.inputs[0]) + 1
    state.end(layer, sums, layer.ending, layer.weight.shape[0], windows=windows)


def _average_pool(state: Lowering, layer: AveragePool) -> None:
    sums = _reduced(state, layer, layer.kernel, SUM, signed_width(*layer.acc))
    channels = image(state.tensor(layer.output))[1]
    state.end(layer, sums, layer.requant, channels, windows=state.windows(layer.inputs[0]) + 1)


def _max_pool(state: Lowering, layer: MaxPool | BinaryMaxPool) -> None:
    """Of bits, the greatest value is the least bit: 1 is -1. Padding never wins."""
    x = state.tensor(layer.inputs[0])
    least = isinstance(layer, BinaryMaxPool) and int(layer.sign[0]) > 0
    loses = 1 if least else 1 << 7 if signed(x) else 0
    out = _reduced(state, layer, layer.kernel, MINIMUM if least else MAXIMUM, width(x), loses)
    state.produce(layer.output, out, windows=state.windows(x.name) + 1)


def _add(state: Lowering, layer: Add) -> None:
    """Both streams meet word by word. The branch with fewer line buffers waits in a queue for an image."""
    depths = [state.windows(name) for name in layer.inputs]
    channels = image(state.tensor(layer.output))[1]
    streams = {}
    for prefix, name, depth in zip(("a", "b"), layer.inputs, depths, strict=True):
        wire = state.consume(name, channels)
        if depth == min(depths):
            queued = state.wire(wire.lanes, wire.width, wire.words)
            state.add(layer.name, "tsm_fifo", {"WIDTH": wire.bits, "DEPTH": wire.words}, {"s": wire}, {"m": queued})
            wire = queued
        streams[prefix] = wire
    a, b = (state.tensor(name) for name in layer.inputs)
    acc = signed_width(*layer.acc)
    parameters: dict[str, Parameter] = {
        "LANES": channels,
        "A_SIGNED": signed(a),
        "B_SIGNED": signed(b),
        "A_FACTOR": layer.multipliers[0],
        "B_FACTOR": layer.multipliers[1],
        "ACC_W": acc,
    }
    sums = state.wire(channels, acc, streams["a"].words)
    state.add(layer.name, "tsm_join", parameters, streams, {"m": sums})
    state.end(layer, sums, layer.requant, channels, windows=max(depths))


def _requantize(state: Lowering, layer: Requantize) -> None:
    """A sum of one addend."""
    x = state.tensor(layer.inputs[0])
    channels = image(x)[1]
    words = state.consume(x.name)
    acc = signed_width(*layer.acc)
    sums = state.wire(words.lanes, acc, words.words)
    parameters: dict[str, Parameter] = {"LANES": words.lanes, "TAPS": 1, "FOLDS": channels // words.lanes, "OP": SUM}
    parameters |= {"X_W": words.width, "X_SIGNED": signed(x), "ACC_W": acc}
    state.add(layer.name, "tsm_lanes", parameters, {"s": words}, {"m": sums})
    state.end(layer, sums, layer.requant, channels, windows=state.windows(x.name))


def _reshape(state: Lowering, layer: Reshape) -> None:
    """The stream stays what it is; its words are no longer in the order of the flattened tensor."""
    x = layer.inputs[0]
    state.produce(layer.output, state.consume(x), windows=state.windows(x))
    del state.carried[layer.output]


ENGINES: Mapping[type[Layer], Callable[[Lowering, Any], None]] = {
    Add: _add,
    AveragePool: _average_pool,
    BinaryConv: _conv,
    BinaryMatMul: _matmul,
    BinaryMaxPool: _max_pool,
    Conv: _conv,
    MatMul: _matmul,
    MaxPool: _max_pool,
    Requantize: _requantize,
    Reshape: _reshape,
    ShiftConv: _conv,
    ShiftMatMul: _matmul,
}
"""What becomes of a layer, by its kind."""
