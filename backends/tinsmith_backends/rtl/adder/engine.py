"""Adder graphs as engines: a window a clock goes in, all outputs of its position come out; weights are wires."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from tinsmith.ir.exact import Accumulator, Ending, Layer, PiecewiseLinear, Requantization, Tensor, Threshold

from tinsmith_backends.rtl.adder.equivalent import digits
from tinsmith_backends.rtl.adder.trace import Graph, Lanes, Matrix, pieces, products
from tinsmith_backends.rtl.folding import ADDERS, Candidate, Folding, Work
from tinsmith_backends.rtl.instances import Wire
from tinsmith_backends.rtl.lower import Lowering, identifier, width

MOST_WEIGHTS = 4096
"""Of a layer: larger ones take da4ml minutes, and an FPGA whole."""
ROUNDING_LUTS = 120
"""Of one requantization of 8 bits to 8 bits by constant adders, roughly."""

_traced: dict[str, Graph] = {}


def candidates(work: Work, matrix: Matrix, ending: Ending, *, direct: bool) -> list[Candidate]:
    """The one way to do a layer with adders, where it is small enough and its windows come whole.

    Args:
        work: of the layer.
        matrix: weights (inputs, outputs) of a window.
        ending: of its accumulators.
        direct: whether a word of the stream is a window as it is.
    """
    if matrix.size > MOST_WEIGHTS or not (direct or work.columns):
        return []
    terms = sum(digits(abs(int(weight))) for weight in matrix.ravel())
    match ending:
        case Requantization():
            each = _rounding_luts(work, ending)
        case Threshold():
            each = 2 * work.input_bits + 8
        case Accumulator():
            each = 0
    return [_candidate(work, matrix.shape[0], matrix.shape[1], 1.1 * terms * work.input_bits + matrix.shape[1] * each)]


def _rounding_luts(work: Work, ending: Requantization) -> int:
    """Multipliers have twice the digits for an output of 16 bits; for inputs of 16, accumulators are longer too."""
    wide = ending.hi - ending.lo > 255
    return ROUNDING_LUTS * (3 if work.input_bits > 8 else 2 if wide else 1)


def reduction(work: Work, *, direct: bool) -> list[Candidate]:
    """The way to do a pool of maxima: a comparison and a choice for each tap."""
    if not (direct or work.columns):
        return []
    luts = 2.0 * work.taps * work.inputs * work.input_bits
    return [_candidate(work, work.taps * work.inputs, work.inputs, luts)]


def lanewise(work: Work) -> list[Candidate]:
    """The way to do two straight pieces a channel: a product and a rounding each."""
    return [_candidate(work, work.inputs, work.inputs, 2.0 * work.inputs * ROUNDING_LUTS)]


def _candidate(work: Work, inputs: int, outputs: int, luts: float) -> Candidate:
    # A window of one pixel, or of the whole image, needs no former.
    taps = work.taps if work.columns else 1
    cycles = max(work.pixels, work.columns, work.pixels_in if taps > 1 else 0)
    return Candidate(ADDERS, Folding(outputs, inputs // taps, taps), cycles, luts)


def lanes_of(x: Tensor, count: int, padding: int | None = None) -> Lanes:
    """The inputs of a graph that reads `count` lanes of a tensor, some of them padding perhaps."""
    if width(x) == 1:
        return Lanes.of_bits(count)
    return Lanes.alike(count, *((x.lo, x.hi) if padding is None else (min(x.lo, padding), max(x.hi, padding))))


def weighted(state: Lowering, layer: Any, vectors: Wire, lanes: Lanes, matrix: Matrix, bias: Any, ending: Any) -> None:
    """Place a weighted sum and its ending; arguments as of `trace.products`."""
    # One network is lowered several times; its graphs are the same.
    parts = [lanes.lo, lanes.hi, matrix, np.asarray(bias), *map(np.asarray, vars(ending).values())]
    text = repr([(part.shape, part.dtype.str, part.tobytes()) for part in parts]) + str(lanes.bits)
    key = hashlib.sha256(text.encode()).hexdigest()
    if key not in _traced:
        _traced[key] = products(lanes, matrix, bias, ending, layer.name)
    place(state, layer, vectors, _traced[key])


def piecewise(state: Lowering, layer: PiecewiseLinear, words: Wire, constants: Matrix) -> None:
    """Place two straight pieces a lane; arguments as of `trace.pieces`, but for the input's zero point."""
    x = state.tensor(layer.inputs[0])
    knee, *lines = constants
    below, above = ((factor, offset - x.zero_point * factor) for factor, offset in (lines[:2], lines[2:]))
    stored = np.stack([knee + x.zero_point, *below, *above])
    place(state, layer, words, pieces(lanes_of(x, words.lanes), stored, layer.rounding))


def place(state: Lowering, layer: Layer, vectors: Wire, graph: Graph) -> None:
    """Append the module of a graph; it makes the layer's output."""
    out = state.wire(graph.outputs, width(state.tensor(layer.output)), vectors.words)
    state.add(layer.name, f"adders_{identifier(layer.name)}", {}, {"s": vectors}, {"m": out}, graph=graph)
    state.produce(layer.output, out)
