"""What the streaming machine cannot do, and why. One function a rule; its docstring is the reason that users read."""

from __future__ import annotations

from collections.abc import Iterable

from tinsmith.errors import Problem
from tinsmith.ir.exact import (
    Binarize,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    Dequantize,
    ExactGraph,
    Layer,
    MatMul,
    Multiply,
    PiecewiseLinear,
    Quantize,
    ShiftConv,
    ShiftMatMul,
)
from tinsmith.refusals import Rule, refusals

from tinsmith_backends.rtl.engines import ENGINES
from tinsmith_backends.rtl.folding import ADDERS, Candidate, Pins
from tinsmith_backends.rtl.instances import Wire
from tinsmith_backends.rtl.lower import ELEMENTWISE, Lowering, form
from tinsmith_backends.rtl.windows import geometry


def problems(graph: ExactGraph, *, adders_only: bool = False) -> list[Problem]:
    """Every rule that some layer breaks."""
    rules = (*RULES, *ADDER_RULES) if adders_only else RULES
    return refusals(graph, rules, "the RTL target cannot take this layer")


def _known(graph: ExactGraph, layer: Layer) -> bool:
    """There is no engine for this operator.

    let the network end at its logits; tinsmith ops MODEL --target rtl-verilog lists every such operator
    """
    return isinstance(layer, Quantize | Dequantize) or type(layer) in ENGINES


def _dequantized_outputs(graph: ExactGraph, layer: Layer) -> bool:
    """It makes an output of the network, and the machine puts out integers, of which Dequantize tells the scale."""
    return layer.output not in graph.outputs or isinstance(layer, Dequantize)


def _image(graph: ExactGraph, layer: Layer) -> bool:
    """It works on a tensor that is no image of rank 4 with batch 1."""
    if not hasattr(layer, "pads"):
        return True
    shape = graph.tensors[layer.inputs[0]].shape
    return len(shape) == 4 and shape[0] == 1


def _one_row(graph: ExactGraph, layer: Layer) -> bool:
    """It multiplies more than one row by its matrix.

    write it as a 1x1 convolution
    """
    if not isinstance(layer, MatMul | ShiftMatMul | BinaryMatMul):
        return True
    size = 1
    for n in graph.tensors[layer.inputs[0]].shape:
        size *= n
    return bool(size == layer.weight.shape[0])


def _channels_joined(graph: ExactGraph, layer: Layer) -> bool:
    """It joins tensors along another axis than their channels."""
    return not isinstance(layer, Concat) or layer.axis == 1


def _flattened_for_products(graph: ExactGraph, layer: Layer) -> bool:
    """It is a flattened image, and something else than a matrix product reads it: a stream keeps its pixels in order.

    flatten in front of the dense layers only
    """
    if not isinstance(layer, ELEMENTWISE) or len(graph.tensors[layer.output].shape) == 4:
        return True
    readers = [other for other in graph.layers if layer.output in other.inputs]
    known = (MatMul, ShiftMatMul, BinaryMatMul, *ELEMENTWISE)
    return 1 in form(graph, layer.output) or all(isinstance(other, known) for other in readers)


def _constant_channels(graph: ExactGraph, layer: Layer) -> bool:
    """It multiplies by another tensor, or by constants that are not one a channel."""
    if not isinstance(layer, Multiply):
        return True
    if layer.factor is None:
        return False
    missing = len(graph.tensors[layer.inputs[0]].shape) - layer.factor.ndim
    return all(n == 1 or missing + place == layer.axis for place, n in enumerate(layer.factor.shape))


def _channels_along_axis_1(graph: ExactGraph, layer: Layer) -> bool:
    """Its constants are not one a channel, but one a row or a column."""
    return not isinstance(layer, Binarize | Multiply | PiecewiseLinear) or layer.axis == 1


def _bits_have_no_zero(graph: ExactGraph, layer: Layer) -> bool:
    """Padding of its bits counts as nothing, and a bit is +1 or -1.

    train with pad_value 1 or -1
    """
    return not isinstance(layer, BinaryConv) or layer.pad_value != 0 or not any(layer.pads)


def _one_sign(graph: ExactGraph, layer: Layer) -> bool:
    """It pools the maximum of some channels of bits and the minimum of others, and has padding, which is one bit.

    pool without padding
    """
    return not isinstance(layer, BinaryMaxPool) or len(set(layer.sign.tolist())) == 1 or not any(layer.pads)


RULES: tuple[Rule, ...] = (
    _known,
    _dequantized_outputs,
    _image,
    _one_row,
    _channels_joined,
    _flattened_for_products,
    _constant_channels,
    _channels_along_axis_1,
    _bits_have_no_zero,
    _one_sign,
)


class _Offered(Exception):
    """Carries the kinds of engines that a layer can choose from."""

    def __init__(self, kinds: frozenset[str] = frozenset()) -> None:
        self.kinds = kinds


class _Asking(Lowering):
    """A machine in which nothing is placed: an engine is asked for its candidates, and that is all."""

    def choose(self, layer: Layer, found: Iterable[Candidate]) -> Candidate:
        raise _Offered(frozenset(one.kind for one in found))

    def consume(self, tensor: str, lanes: int | None = None) -> Wire:
        raise _Offered  # there is one way to do this layer


def _few_weights(graph: ExactGraph, layer: Layer) -> bool:
    """In VHDL every layer is a graph of adders, and it has more weights than one may have (4096).

    compile for rtl-verilog, which has matrix-vector units too
    """
    if type(layer) not in ENGINES or not all(rule(graph, layer) for rule in (*RULES, _whole_windows)):
        return True
    try:
        ENGINES[type(layer)](_Asking(graph, 1, Pins()), layer)
    except _Offered as offered:
        return not offered.kinds or ADDERS in offered.kinds
    raise AssertionError(f"the engine of {layer.kind} reads no stream")


def _whole_windows(graph: ExactGraph, layer: Layer) -> bool:
    """In VHDL windows come whole, and its windows reach further into the padding than they are wide.

    less padding; or compile for rtl-verilog, which has another window former too
    """
    if not hasattr(layer, "pads"):
        return True
    kernel = layer.weight.shape[2:] if isinstance(layer, Conv | BinaryConv | ShiftConv) else layer.kernel  # type: ignore[attr-defined]
    form = geometry(layer, (kernel[0], kernel[1]), graph.tensors[layer.inputs[0]], graph.tensors[layer.output])
    return form.direct or form.columns > 0


ADDER_RULES: tuple[Rule, ...] = (_few_weights, _whole_windows)
"""What a machine of nothing but graphs of adders cannot do besides."""
