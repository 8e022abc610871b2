"""Layers where streams meet: additions and concatenations."""

from __future__ import annotations

import numpy as np
from tinsmith.ir.exact import Add, Concat

from tinsmith_backends.rtl.adder import engine as adder
from tinsmith_backends.rtl.adder.trace import Lanes
from tinsmith_backends.rtl.folding import ADDERS, LANES, Work, candidates
from tinsmith_backends.rtl.instances import Parameter, Wire
from tinsmith_backends.rtl.lower import Lowering, image, signed, width
from tinsmith_backends.rtl.words import signed_width


def add(state: Lowering, layer: Add) -> None:
    """Both streams meet word by word, each behind a queue in which it waits for the other.

    Sums are of stored values: the ending takes their zero points off.
    """
    pixels, channels = image(state.tensor(layer.output))
    xs = [state.tensor(name) for name in layer.inputs]
    lo, hi, zero = (
        sum(getattr(x, what) * m for x, m in zip(xs, layer.multipliers, strict=True))
        for what in ("lo", "hi", "zero_point")
    )
    acc = signed_width(lo, hi)
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
        ranges = [adder.lanes_of(x, channels) for x in xs]
        read = Lanes(np.concatenate([one.lo for one in ranges]), np.concatenate([one.hi for one in ranges]))
        adder.weighted(state, layer, both, read, factors, np.full(channels, -zero), layer.requant)
        return
    parameters: dict[str, Parameter] = {
        "LANES": lanes,
        "A_SIGNED": signed(xs[0]),
        "B_SIGNED": signed(xs[1]),
        "A_FACTOR": layer.multipliers[0],
        "B_FACTOR": layer.multipliers[1],
        "ACC_W": acc,
    }
    parameters |= state.multiplier(layer)
    sums = state.wire(lanes, acc, a.words)
    state.add(layer.name, "tsm_join", parameters, {"a": a, "b": b}, {"m": sums})
    state.end(layer, sums, layer.requant, channels, cycles=sums.words, start=-zero)


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
