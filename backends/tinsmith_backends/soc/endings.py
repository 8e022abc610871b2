"""How accumulators become outputs, in the words of a descriptor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tinsmith.ir.exact import Accumulator, Ending, Int32Array, Requantization, Threshold

from tinsmith_backends.soc.memory_map import ENDING


@dataclass(frozen=True)
class Finish:
    """Bias and multiplier of every output channel, and the descriptor's fields that say what is done with them."""

    bias: Int32Array
    multiplier: Int32Array
    fields: dict[str, int]


def finish(ending: Ending, bias: Int32Array) -> Finish:
    """The ending of a layer with these biases."""
    channels = bias.size
    if isinstance(ending, Threshold):
        limit = np.broadcast_to(ending.limit, (channels,))
        return Finish(
            (bias - limit).astype(np.int32), np.ones(channels, np.int32), {"ending": ENDING["THRESHOLD"], "shift": 1}
        )
    if isinstance(ending, Accumulator):
        return Finish(bias, np.ones(channels, np.int32), {"ending": ENDING["RAW"], "shift": 1})
    multiplier = np.broadcast_to(ending.multiplier, (channels,)).astype(np.int32)
    return Finish(bias, multiplier, {"ending": ENDING["REQUANTIZE"], **rounding(ending)})


def rounding(requant: Requantization) -> dict[str, int]:
    """Shift, limits and zero point."""
    return {"shift": requant.shift, **_limited(requant.lo, requant.hi, requant.zero_point)}


def _limited(lo: int, hi: int, zero: int) -> dict[str, int]:
    return {"lo": lo - zero, "hi": hi - zero, "zero": zero & 0xFF}


def unchanged(channels: int, lo: int, hi: int, zero: int = 0) -> Finish:
    """Values stay what they are: (2 * acc + 1) >> 1, where `zero` was taken off."""
    fields = {"ending": ENDING["REQUANTIZE"], "shift": 1, **_limited(lo, hi, zero)}
    return Finish(np.zeros(channels, np.int32), np.full(channels, 2, np.int32), fields)
