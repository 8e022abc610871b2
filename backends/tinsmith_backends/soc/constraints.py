"""What the system-on-chip cannot do, and why. One function a rule; its docstring is the reason that users read."""

from __future__ import annotations

import numpy as np
from tinsmith.errors import Problem
from tinsmith.ir.exact import (
    ArgMax,
    Binarize,
    BinaryMaxPool,
    Concat,
    Dequantize,
    ExactGraph,
    Layer,
    PiecewiseLinear,
    Quantize,
    Softmax,
    Weighted,
)
from tinsmith.refusals import Rule, refusals

from tinsmith_backends.soc.lower_layers import HANDLERS
from tinsmith_backends.soc.orders import Moves, order


def problems(graph: ExactGraph) -> list[Problem]:
    """Every rule that some layer breaks."""
    return refusals(graph, RULES, "the soc target cannot take this layer")


def _known(graph: ExactGraph, layer: Layer) -> bool:
    """Neither the accelerator nor the firmware has this operator.

    let the network end at its logits; tinsmith ops MODEL --target soc lists every such operator
    """
    return isinstance(layer, Quantize | Dequantize | Moves) or type(layer) in HANDLERS


def _symmetric(graph: ExactGraph, layer: Layer) -> bool:
    """Its output has a zero point other than 0, and the accelerator pads with zeros.

    quantize without asymmetric = true
    """
    return graph.tensors[layer.output].zero_point == 0


def _dequantized_outputs(graph: ExactGraph, layer: Layer) -> bool:
    """It makes an output of the network, and the chip puts out integers, of which Dequantize tells the scale."""
    return layer.output not in graph.outputs or isinstance(layer, Dequantize | Softmax | ArgMax)


def _image(graph: ExactGraph, layer: Layer) -> bool:
    """It works on a batch of images, and the activation memory holds one."""
    shapes = [graph.tensors[name].shape for name in (*layer.inputs, layer.output)]
    return all(len(shape) != 4 or shape[0] == 1 for shape in shapes)


def _rows(graph: ExactGraph, layer: Layer) -> bool:
    """It works along the width of an image, and the channels of a pixel stand together."""
    return not isinstance(layer, Softmax | ArgMax) or len(graph.tensors[layer.inputs[0]].shape) != 4


def _window_of_image(graph: ExactGraph, layer: Layer) -> bool:
    """It has a window, and its input is no image of rank 4."""
    return not hasattr(layer, "pads") or len(graph.tensors[layer.inputs[0]].shape) == 4


def _order(graph: ExactGraph, layer: Layer) -> bool:
    """Its output would have to be rearranged: those who read it, by way of Reshape or Transpose, want another order.

    flatten in front of dense layers only; behind a convolution, depth to space along the width is free
    """
    return isinstance(layer, Dequantize | Moves) or order(graph, layer.output) is not None


def _per_channel(graph: ExactGraph, layer: Layer) -> bool:
    """Its numbers vary along an axis that is not the channels."""
    if not isinstance(layer, Binarize | PiecewiseLinear):
        return True
    shape = graph.tensors[layer.inputs[0]].shape
    channels = 1 if len(shape) == 4 else len(shape) - 1
    numbers = layer.limit if isinstance(layer, Binarize) else layer.knee
    return numbers.size == 1 or layer.axis % len(shape) == channels


def _one_sign(graph: ExactGraph, layer: Layer) -> bool:
    """It pools the minimum of some channels of bits, and the accelerator has the maximum."""
    return not isinstance(layer, BinaryMaxPool) or bool(np.all(layer.sign == 1))


def _int8_weights(graph: ExactGraph, layer: Layer) -> bool:
    """One of its weights is +128, and the chip's weights are int8.

    train with 3 bits, or with scales that leave +128 out
    """
    return not isinstance(layer, Weighted) or bool(layer.weight.max(initial=0) <= 127)


def _joined_axis(graph: ExactGraph, layer: Layer) -> bool:
    """It joins tensors along the batch, or moves its first axis in ways that the activation memory does not have."""
    if not isinstance(layer, Concat):
        return True
    rank = len(graph.tensors[layer.output].shape)
    return layer.axis >= 1 and (rank == 4 or layer.axis >= rank - 2) and graph.tensors[layer.output].shape[0] == 1


RULES: tuple[Rule, ...] = (
    _known,
    _symmetric,
    _dequantized_outputs,
    _image,
    _rows,
    _window_of_image,
    _order,
    _per_channel,
    _one_sign,
    _int8_weights,
    _joined_axis,
)
