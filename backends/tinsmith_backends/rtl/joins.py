"""Layers that go through a stream word by word: additions, concatenations, requantizations, reshapes."""

from __future__ import annotations

from math import prod

from tinsmith.ir.exact import Add, Concat, Requantize, Reshape

from tinsmith_backends.rtl.folding import divisors
from tinsmith_backends.rtl.instances import Parameter
from tinsmith_backends.rtl.lower import Lowering, image, signed, width
from tinsmith_backends.rtl.reductions import SUM
from tinsmith_backends.rtl.words import signed_width


def add(state: Lowering, layer: Add) -> None:
    """Both streams meet word by word, each behind a queue in which it waits for the other."""
    pixels, channels = image(state.tensor(layer.output))
    lanes = next(d for d in divisors(channels) if pixels * channels // d <= state.interval or d == channels)
    streams = [state.consume(name, lanes) for name in layer.inputs]
    a, b = (state.queued(layer.name, wire, wire.words) for wire in streams)
    acc = signed_width(*layer.acc)
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
        joined = state.wire(a.lanes + b.lanes, a.width, a.words)
        parameters = {"A_W": a.bits, "B_W": b.bits}
        state.add(layer.name, "tsm_concat", parameters, {"a": a, "b": b}, {"m": joined})
    state.produce(layer.output, joined)


def requantize(state: Lowering, layer: Requantize) -> None:
    """A sum of one addend."""
    x = state.tensor(layer.inputs[0])
    channels, words, acc = image(x)[1], state.consume(x.name), signed_width(*layer.acc)
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
