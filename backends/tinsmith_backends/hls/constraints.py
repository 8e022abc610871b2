"""What the HLS flows cannot take, and why. One function a rule; its docstring is the reason that users read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tinsmith.errors import Problem
from tinsmith.ir.exact import (
    Add,
    Binarize,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Dequantize,
    ExactGraph,
    Layer,
    MatMul,
    MaxPool,
    Multiply,
    PiecewiseLinear,
    Quantize,
    Requantize,
    Reshape,
    ShiftMatMul,
    Table,
)
from tinsmith.refusals import Rule, refusals

from tinsmith_backends.hls.lower import channels_last
from tinsmith_backends.hls.lower_layers import HANDLERS


def problems(graph: ExactGraph, *, streams: bool = False, tables: bool = True) -> list[Problem]:
    """Every rule that some layer breaks; `streams` with io_type = io_stream, `tables` where the flow has them."""
    rules = [*RULES, *([_windows_apart] if streams else []), *([] if tables else [_no_table])]
    return refusals(graph, rules, "HLS targets cannot take this layer")


def _known(graph: ExactGraph, layer: Layer) -> bool:
    """hls4ml has nothing that computes this operator's bits.

    let the network end at its logits; tinsmith ops MODEL --target T lists every such operator
    """
    return isinstance(layer, Quantize | Dequantize) or type(layer) in HANDLERS


def _dequantized_outputs(graph: ExactGraph, layer: Layer) -> bool:
    """It makes an output of the network, and an HLS project puts out integers, of which Dequantize tells the scale."""
    return layer.output not in graph.outputs or isinstance(layer, Dequantize)


def _image(graph: ExactGraph, layer: Layer) -> bool:
    """It works on a tensor that is no image of rank 4 with batch 1."""
    if not hasattr(layer, "pads"):
        return True
    shape = graph.tensors[layer.inputs[0]].shape
    return len(shape) == 4 and shape[0] == 1


def _one_row(graph: ExactGraph, layer: Layer) -> bool:
    """It multiplies more than one row by its matrix, and hls4ml's dense layer takes one.

    write it as a 1x1 convolution
    """
    if not isinstance(layer, MatMul | ShiftMatMul | BinaryMatMul):
        return True
    return bool(np.prod(graph.tensors[layer.inputs[0]].shape) == layer.weight.shape[0])


def _padding_never_wins(graph: ExactGraph, layer: Layer) -> bool:
    """It pools values that may be negative with padding, and hls4ml pads with zeros, which would win.

    put a ReLU in front of the pool, or leave out its padding
    """
    if not isinstance(layer, MaxPool) or not any(layer.pads):
        return True
    x = graph.tensors[layer.inputs[0]]
    return x.lo >= x.zero_point


def _whole_windows(graph: ExactGraph, layer: Layer) -> bool:
    """It is a pool with dilation, which hls4ml has not."""
    return not hasattr(layer, "kernel") or getattr(layer, "dilations", (1, 1)) == (1, 1)


def _windows_apart(graph: ExactGraph, layer: Layer) -> bool:
    """It is a pool whose windows overlap or leave pixels out, and hls4ml's streamed pools take windows side by side.

    --set io_type=io_parallel, or a stride as large as the window
    """
    return not isinstance(layer, MaxPool | BinaryMaxPool) or layer.kernel == layer.strides


def _joins_images(graph: ExactGraph, layer: Layer) -> bool:
    """It joins tensors that are no images, or along the batch."""
    return not isinstance(layer, Concat) or (len(graph.tensors[layer.output].shape) == 4 and layer.axis != 0)


def _keeps_order(graph: ExactGraph, layer: Layer) -> bool:
    """It makes an image of values that stand in another order: the project holds channels last.

    flatten for a matrix product only
    """
    if not isinstance(layer, Reshape) or len(graph.tensors[layer.output].shape) < 3:
        return True
    x, y = graph.tensors[layer.inputs[0]], graph.tensors[layer.output]
    return np.array_equal(_stored(x.shape), _stored(y.shape))


def _along_channels(graph: ExactGraph, layer: Layer) -> bool:
    """Its constants are not one a channel but along another axis, for which hls4ml has no layer.

    transpose the model, so that they are one a channel
    """
    return not isinstance(layer, Binarize | PiecewiseLinear | Multiply) or layer.axis == 1


def _multiplies_alike(graph: ExactGraph, layer: Layer) -> bool:
    """It multiplies by a tensor that is no image of the same shape, or by constants of every position.

    multiply by one constant a channel, or an image by one of the same shape
    """
    if not isinstance(layer, Multiply):
        return True
    x = graph.tensors[layer.inputs[0]].shape
    if layer.factor is None:
        return len(x) == 4 and graph.tensors[layer.inputs[1]].shape == x
    sizes = (1,) * (len(x) - layer.factor.ndim) + layer.factor.shape
    return all(size == 1 for axis, size in enumerate(sizes) if axis != 1)


def _one_order(graph: ExactGraph, layer: Layer) -> bool:
    """It adds or multiplies a flattened image and values in another order: the project holds images channels last.

    do so with the images, and flatten what comes out
    """
    if not isinstance(layer, Add | Multiply) or len(layer.inputs) == 1:
        return True
    first, second = (_order(graph, name) for name in layer.inputs)
    return np.array_equal(first, second)


def _order(graph: ExactGraph, name: str) -> npt.NDArray[np.int64]:
    """Positions in ONNX order of the stored elements of a tensor, which a flattened image keeps."""
    shape = graph.tensors[name].shape
    layer = next((layer for layer in graph.layers if layer.output == name), None)
    if len(shape) <= 2 and isinstance(
        layer, Reshape | Requantize | Table | PiecewiseLinear | Add | Multiply | Binarize
    ):
        return _order(graph, layer.inputs[0])
    return _stored(shape)


def _stored(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    positions = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    return positions.transpose(channels_last(len(shape))).ravel()


def _no_table(graph: ExactGraph, layer: Layer) -> bool:
    """It is a function by a table of its results, and hls4ml's C++ for this flow has none.

    compile for hls-vitis or hls-vivado; or end in ReLU, clips and straight pieces
    """
    return not isinstance(layer, Table)


RULES: tuple[Rule, ...] = (
    _known,
    _dequantized_outputs,
    _image,
    _one_row,
    _padding_never_wins,
    _whole_windows,
    _joins_images,
    _keeps_order,
    _along_channels,
    _multiplies_alike,
    _one_order,
)
