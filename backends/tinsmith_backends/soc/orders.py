"""In which order a tensor's values stand in the activation memory, so that reshaping and transposing move nothing.

Images stand with channels innermost (HWC), other tensors as in ONNX. A Reshape or Transpose is another name for the
same bytes; whoever reads under that name may ask for another order, which the layer in front writes if all it takes is
to make its channels in another order. That is how a transposed convolution (a convolution, then depth to space) costs
nothing.
"""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import (
    BinaryConv,
    BinaryMatMul,
    Conv,
    Dequantize,
    ExactGraph,
    Layer,
    MatMul,
    Quantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Tensor,
    Transpose,
)

Order = npt.NDArray[np.int64]
"""Flat ONNX indices of a tensor's values, in the order in which they stand in memory."""
Products = MatMul | BinaryMatMul | ShiftMatMul
Convolutions = Conv | BinaryConv | ShiftConv
Moves = Reshape | Transpose


def natural(shape: tuple[int, ...]) -> Order:
    """HWC for an image (1, channels, height, width), else ONNX's own order."""
    indices = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    return indices.transpose(0, 2, 3, 1).ravel() if len(shape) == 4 else indices.ravel()


def pixels_and_channels(shape: tuple[int, ...]) -> tuple[int, int]:
    """The matrix that `natural` is: pixels of channels, or rows of values."""
    channels = shape[1] if len(shape) == 4 else shape[-1]
    return int(np.prod(shape)) // channels, channels


def root(graph: ExactGraph, name: str) -> str:
    """The tensor whose bytes `name` is another name for."""
    maker = makers(graph).get(name)
    return root(graph, maker.inputs[0]) if isinstance(maker, Moves) else name


def makers(graph: ExactGraph) -> dict[str, Layer]:
    """The layer that makes each tensor."""
    return {layer.output: layer for layer in graph.layers}


def takes_any_order(graph: ExactGraph, layer: Layer) -> bool:
    """Whether a layer reads its input in any order: weights are put in it, or whoever takes the result sorts."""
    if isinstance(layer, Products):
        return prod(graph.tensors[layer.inputs[0]].shape) == int(layer.weight.shape[0])
    return isinstance(layer, Dequantize)


def order(graph: ExactGraph, name: str) -> Order | None:
    """How the tensor `name`, or what it is another name for, stands in memory, as its own flat indices.

    None if its readers want different orders, or one that its maker does not write.
    """
    base = root(graph, name)
    wanted = _wanted(graph, base)
    if wanted is None or not _written(graph, base, wanted):
        return None
    own = _in_root(graph, name)
    position = np.empty_like(own)
    position[own] = np.arange(own.size)
    return position[wanted]


def channel_order(tensor: Tensor, stored: Order) -> Order | None:
    """Which channel stands at each place of a pixel, where that is the same for every pixel; else None."""
    pixels, channels = pixels_and_channels(tensor.shape)
    usual = natural(tensor.shape).reshape(pixels, channels)
    there = stored.reshape(pixels, channels)
    place = {int(index): i for i, index in enumerate(usual[0])}
    if any(int(index) not in place for index in there[0]):
        return None
    found = np.array([place[int(index)] for index in there[0]], np.int64)
    return found if np.array_equal(there, usual[:, found]) else None


def _wanted(graph: ExactGraph, base: str) -> Order | None:
    """The one order, as flat indices of `base`, that all readers want."""
    found: Order | None = None
    names = [name for name in graph.tensors if root(graph, name) == base]
    for layer in graph.layers:
        if isinstance(layer, Moves) or takes_any_order(graph, layer):
            continue
        for name in set(layer.inputs) & set(names):
            here = _in_root(graph, name)[natural(graph.tensors[name].shape)]
            if found is not None and not np.array_equal(found, here):
                return None
            found = here
    return natural(graph.tensors[base].shape) if found is None else found


def _written(graph: ExactGraph, base: str, wanted: Order) -> bool:
    maker = makers(graph).get(base)
    if isinstance(maker, Quantize):
        return True
    if isinstance(maker, Products | Convolutions) and getattr(maker, "group", 1) == 1:
        return channel_order(graph.tensors[base], wanted) is not None
    return np.array_equal(wanted, natural(graph.tensors[base].shape))


def _in_root(graph: ExactGraph, name: str) -> Order:
    """For each flat index of a tensor, the flat index of the same value in its root."""
    maker = makers(graph).get(name)
    if not isinstance(maker, Moves):
        return np.arange(int(np.prod(graph.tensors[name].shape)), dtype=np.int64)
    before = _in_root(graph, maker.inputs[0])
    if isinstance(maker, Reshape):
        return before
    return before.reshape(graph.tensors[maker.inputs[0]].shape).transpose(maker.perm).ravel()
