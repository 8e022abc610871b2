"""What the system-on-chip cannot do, and why. One function a rule; its docstring is the reason that users read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper

import numpy as np
from tinsmith.errors import Problem
from tinsmith.ir.exact import (
    ArgMax,
    Binarize,
    BinaryConv,
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

from tinsmith_backends.soc.capabilities import in_hardware
from tinsmith_backends.soc.chip import XNOR, Chip
from tinsmith_backends.soc.lower_layers import HANDLERS
from tinsmith_backends.soc.orders import Moves, order, pixels_and_channels, root, takes_any_order
from tinsmith_backends.soc.weights import unused_bits


def problems(graph: ExactGraph, chip: Chip) -> list[Problem]:
    """Every rule that some layer breaks."""
    of_chip = (update_wrapper(partial(rule, chip), rule) for rule in CHIP_RULES)
    return refusals(graph, (*RULES, *of_chip), "the soc target cannot take this layer")


def _known(graph: ExactGraph, layer: Layer) -> bool:
    """Neither the accelerator nor the firmware has this operator.

    let the network end at its logits; tinsmith ops MODEL --target soc lists every such operator
    """
    return isinstance(layer, Quantize | Dequantize | Moves) or type(layer) in HANDLERS


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


def _one_sign(chip: Chip, graph: ExactGraph, layer: Layer) -> bool:
    """It pools the minimum of some channels of bits, and the accelerator has the maximum.

    --set kind=xnor, whose firmware has both
    """
    return not isinstance(layer, BinaryMaxPool) or chip.kind == XNOR or bool(np.all(layer.sign == 1))


def _int8_weights(chip: Chip, graph: ExactGraph, layer: Layer) -> bool:
    """One of its weights is +128, and where the chip does not shift, weights are int8.

    --set kind=shift, or train with 3 bits, or with scales that leave +128 out
    """
    return not isinstance(layer, Weighted) or in_hardware(layer, chip) or bool(layer.weight.max(initial=0) <= 127)


def _sixteen_bits(chip: Chip, graph: ExactGraph, layer: Layer) -> bool:
    """It reads or makes values of 16 bits, which the firmware does not, and this chip has no products by its weights.

    activations = "8-bit" there, or --set kind=multiply, or kind=shift and weights of powers of two
    """
    wide = any(graph.tensors[name].bits == 16 for name in (*layer.inputs, layer.output))
    return not (wide and isinstance(layer, Weighted)) or in_hardware(layer, chip)


def _pairs_of_bits(chip: Chip, graph: ExactGraph, layer: Layer) -> bool:
    """It pads an odd number of channels of bits with another value than +1, and the eighth bits of bytes are +1.

    an even number of channels, or pad_value = 1
    """
    if not isinstance(layer, BinaryConv) or chip.kind != XNOR:
        return True
    return unused_bits(layer.weight.shape[1]) % 2 == 0 or layer.pad_value == 1 or not any(layer.pads)


def _whole_bytes(chip: Chip, graph: ExactGraph, layer: Layer) -> bool:
    """It takes the channels of bits apart, or joins them, elsewhere than between bytes of eight.

    channels of such tensors that are multiples of 8, or --set kind=multiply
    """
    if chip.kind != XNOR or isinstance(layer, Moves | Dequantize) or takes_any_order(graph, layer):
        return True
    bits = [name for name in layer.inputs if graph.tensors[name].bits == 1]
    channels = [pixels_and_channels(graph.tensors[name].shape)[1] for name in bits]
    roots = [pixels_and_channels(graph.tensors[root(graph, name)].shape)[1] for name in bits]
    parts = channels[:-1] if isinstance(layer, Concat) and _joins_channels(graph, layer) else []
    moved = [count for pair in zip(channels, roots, strict=True) if len(set(pair)) > 1 for count in pair]
    return all(count % 8 == 0 for count in (*parts, *moved))


def _joins_channels(graph: ExactGraph, layer: Concat) -> bool:
    rank = len(graph.tensors[layer.output].shape)
    return layer.axis == (1 if rank == 4 else rank - 1)


def _joined_axis(graph: ExactGraph, layer: Layer) -> bool:
    """It joins tensors along the batch, or moves its first axis in ways that the activation memory does not have."""
    if not isinstance(layer, Concat):
        return True
    rank = len(graph.tensors[layer.output].shape)
    return layer.axis >= 1 and (rank == 4 or layer.axis >= rank - 2) and graph.tensors[layer.output].shape[0] == 1


RULES: tuple[Rule, ...] = (
    _known,
    _dequantized_outputs,
    _image,
    _rows,
    _window_of_image,
    _order,
    _per_channel,
    _joined_axis,
)
CHIP_RULES: tuple[Callable[[Chip, ExactGraph, Layer], bool], ...] = (
    _one_sign,
    _int8_weights,
    _sixteen_bits,
    _pairs_of_bits,
    _whole_bytes,
)
"""Those that depend on the chip."""
