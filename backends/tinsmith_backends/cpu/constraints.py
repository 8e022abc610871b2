"""What the CPU backend cannot take, and why. One function a rule; its docstring is the reason that users read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tinsmith.errors import Problem
from tinsmith.ir.exact import (
    Add,
    ArgMax,
    AveragePool,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    Dequantize,
    ExactGraph,
    Layer,
    MatMul,
    MaxPool,
    Quantize,
    ShiftConv,
    ShiftMatMul,
    Softmax,
)

from tinsmith_backends.cpu.kernels.bits import MOST, WORD, words
from tinsmith_backends.cpu.lower_layers import HANDLERS

Rule = Callable[[ExactGraph, Layer], bool]
_STORED = ("int8", "uint8", "int16")
LARGEST = 2**31 - 1
"""Offsets are int32 in kernels."""


def problems(graph: ExactGraph) -> list[Problem]:
    """Every rule that some layer breaks, and outputs that are no result of a layer."""
    found = [_problem(layer, rule) for layer in graph.layers for rule in RULES if not rule(graph, layer)]
    return [*found, *_bad_outputs(graph)]


def _problem(layer: Layer, rule: Rule) -> Problem:
    where = f"{layer.kind} {layer.name}" + (f" ({layer.source})" if layer.source else "")
    reason = " ".join((rule.__doc__ or "").split())
    return Problem("CPU targets cannot take this layer", where, reason)


def _bad_outputs(graph: ExactGraph) -> Iterator[Problem]:
    makers = {layer.output: layer for layer in graph.layers}
    for name in graph.outputs:
        if not isinstance(makers.get(name), Dequantize | Softmax | ArgMax):
            yield Problem(
                f"output {name!r} is not the result of Dequantize, Softmax or ArgMax",
                why="a graph output is a float or an index; an input cannot be passed through",
            )


def _known(graph: ExactGraph, layer: Layer) -> bool:
    """The CPU backend has no code for this operator."""
    return isinstance(layer, Quantize | Dequantize) or type(layer) in HANDLERS


def _float_inside(graph: ExactGraph, layer: Layer) -> bool:
    """Real values exist only at the graph's inputs and outputs; between them everything is an integer."""
    if isinstance(layer, Quantize):
        return layer.inputs[0] in graph.inputs and graph.tensors[layer.output].dtype in _STORED
    return all(graph.tensors[name].dtype in (*_STORED, "int32") for name in layer.inputs)


def _head_is_last(graph: ExactGraph, layer: Layer) -> bool:
    """Softmax, ArgMax and Dequantize stand at the graph's outputs only: what they make is not an 8-bit integer."""
    return not isinstance(layer, Softmax | ArgMax | Dequantize) or layer.output in graph.outputs


def _one_image(graph: ExactGraph, layer: Layer) -> bool:
    """Convolution and pooling take one image at a time, of rank 4 (1, C, H, W)."""
    if not isinstance(layer, Conv | ShiftConv | BinaryConv | AveragePool | MaxPool | BinaryMaxPool):
        return True
    shape = graph.tensors[layer.inputs[0]].shape
    return len(shape) == 4 and shape[0] == 1


def _concat_of_one_kind(graph: ExactGraph, layer: Layer) -> bool:
    """Tensors that are joined must share type, scale and zero point: their bytes are copied as they are."""
    if not isinstance(layer, Concat):
        return True
    kinds = {(graph.tensors[n].dtype, graph.tensors[n].scale, graph.tensors[n].zero_point) for n in layer.inputs}
    return len(kinds) == 1


def _small_enough(graph: ExactGraph, layer: Layer) -> bool:
    """A tensor or its weights pass 2**31 - 1 elements, more than a 32-bit offset reaches."""
    sizes = [_elements(graph.tensors[layer.output].shape)]
    if isinstance(layer, Conv | MatMul | ShiftConv | ShiftMatMul | BinaryConv | BinaryMatMul):
        sizes.append(layer.weight.size)
    return max(sizes) <= LARGEST


def _few_bits(graph: ExactGraph, layer: Layer) -> bool:
    """A sum of more than 65,536 products of bits, in whole words a pixel, is more than kernels count."""
    if not isinstance(layer, BinaryConv | BinaryMatMul):
        return True
    taps, inputs = 1, int(layer.weight.shape[0])
    if isinstance(layer, BinaryConv):
        _, inputs, kh, kw = (int(n) for n in layer.weight.shape)
        taps = kh * kw
    return taps * words(inputs) * WORD <= MOST


def _elements(shape: tuple[int, ...]) -> int:
    product = 1
    for n in shape:
        product *= n
    return product


def _narrow_sum(graph: ExactGraph, layer: Layer) -> bool:
    """The sum of an addition must fit int32 before its shift."""
    return not isinstance(layer, Add) or not layer.requant.wide


RULES: tuple[Rule, ...] = (
    _known,
    _float_inside,
    _head_is_last,
    _one_image,
    _concat_of_one_kind,
    _small_enough,
    _few_bits,
    _narrow_sum,
)
