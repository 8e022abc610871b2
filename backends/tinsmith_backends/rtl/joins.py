"""Layers that go through a stream word by word: additions, concatenations, requantizations, reshapes."""

from __future__ import annotations

from math import prod

import numpy as np
from tinsmith.ir.exact import Add, Concat, Requantize, Reshape

from tinsmith_backends.rtl.adder import engine as adder
from tinsmith_backends.rtl.adder.trace import Lanes
from tinsmith_backends.rtl.folding import ADDERS, LANES, Work, candidates
from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering, image, signed, width
from tinsmith_backends.rtl.reductions import SUM
from tinsmith_backends.rtl.words import signed_width


def add(state: Lowering, layer: Add) -> None:
    """Both streams meet word by word, each behind a queue in which it waits for the other."""
    pixels, channels = image(state.tensor(layer.output))
    acc = signed_width(*layer.acc)
    work = Work(pixels, 1, channels, 1, pixels, 0, 16.0 * width(state.tensor(layer.output)), 16, 3.0 * acc, True)
    factors = np.concatenate([np.eye(channels, dtype=np.int64) * factor for factor in layer.multipliers])
    chosen = state.choose(
        layer, [*candidates(LANES, work), *adder.candidates(work, factors, layer.requant, direct=True)]
    )
    lanes = channels if chosen.kind == ADDERS else chosen.folding.lanes
    streams = [state.consume(name, lanes) for name in layer.inputs]
    a, b = (state.queued(layer.name, wire, wire.words) for wire in streams)
    if chosen.kind == ADDERS:
        both = _beside(state, layer.name, a, b)
        ranges = [adder.lanes_of(state.tensor(name), channels) for name in layer.inputs]
        read = Lanes(np.concatenate([one.lo for one in ranges]), np.concatenate([one.hi for one in ranges]))
        adder.weighted(state, layer, both, read, factors, np.zeros(channels, np.int64), layer.requant)
        return
    signs = [signed(state.tensor(name)) for name in layer.inputs]
    parameters: dict[str, Parameter] = {
        "LANES": lanes,
        "A_SIGNED": signs[0],
        "B_SIGNED": signs[1],
        "A_FACTOR": layer.multipliers[0],
        "B_FACTOR": layer.multipliers[1],
        "ACC_W": acc,
    }
    sums = state.wire(lanes, acc, a.words)
    state.add(layer.name, "tsm_join", parameters, {"a": a, "b": b}, {"m": sums})
    state.end(layer, sums, layer.requant, channels, cycles=sums.words)


def concat(state: Lowering, layer: Concat) -> None:
    """Pixels of two streams side by side, then of those and the third."""
    wires = [state.consume(name, image(state.tensor(name))[1]) for name in layer.inputs]
    joined = wires[0]
    for wire in wires[1:]:
        a, b = (state.queued(layer.name, one, one.words) for one in (joined, wire))
        joined = _beside(state, layer.name, a, b)
    state.produce(layer.output, joined)


def _beside(state: Lowering, layer: str, a: Wire, b: Wire) -> Wire:
    """Words of two streams side by side."""
    joined = state.wire(a.lanes + b.lanes, a.width, a.words)
    state.add(layer, "tsm_concat", {"A_W": a.bits, "B_W": b.bits}, {"a": a, "b": b}, {"m": joined})
    return joined


def requantize(state: Lowering, layer: Requantize) -> None:
    """A sum of one addend."""
    x = state.tensor(layer.inputs[0])
    (pixels, channels), acc = image(x), signed_width(*layer.acc)
    work = Work(pixels, 1, channels, 1, pixels, 0, 0.0, width(x), 3.0 * acc, True)
    identity = np.eye(channels, dtype=np.int64)
    chosen = state.choose(
        layer, [*candidates(LANES, work), *adder.candidates(work, identity, layer.requant, direct=True)]
    )
    words = state.consume(x.name, chosen.folding.lanes)
    if chosen.kind == ADDERS:
        lanes = adder.lanes_of(x, channels)
        adder.weighted(state, layer, words, lanes, identity, np.zeros(channels, np.int64), layer.requant)
        return
    sums = state.wire(words.lanes, acc, words.words)
    parameters: dict[str, Parameter] = {
        "LANES": words.lanes,
        "TAPS": 1,
        "PARALLEL": 1,
        "FOLDS": channels // words.lanes,
    }
    parameters |= {"PIXELS_OUTER": 0, "OP": SUM, "X_W": width(x), "X_SIGNED": signed(x), "ACC_W": acc}
    state.add(layer.name, "tsm_lanes", parameters, {"s": words}, {"m": sums})
    state.end(layer, sums, layer.requant, channels, cycles=sums.words)


def reshape(state: Lowering, layer: Reshape) -> None:
    """The stream stays what it is; its words are no longer in the order of the flattened tensor."""
    wire = state.consume(layer.inputs[0])
    state.produce(layer.output, wire)
    if prod(state.tensor(layer.inputs[0]).shape[2:]) > 1:
        del state.carried[layer.output]
