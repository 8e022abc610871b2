"""The table of exponentials of a softmax over an 8-bit tensor: integers, the same on every host."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache

import numpy as np

from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Int32Array
from tinsmith.numerics.requantize import INT32_MAX

MAX_BITS = 23
"""Integers up to 2**24 are exact in binary32, so e itself never rounds."""
LEAST_BITS = 8
DIGITS = 40


@lru_cache(maxsize=16)
def _table(scale: float, bits: int) -> tuple[int, ...]:
    with localcontext() as context:
        # Python's decimal exp is correctly rounded, whatever the host's libm; 40 digits leave no doubt about 23 bits.
        context.prec = DIGITS
        step = Decimal(scale)
        powers = [(-step * d).exp() * 2**bits for d in range(256)]
        return tuple(int(power.to_integral_value(ROUND_HALF_EVEN)) for power in powers)


def exponentials(scale: float, classes: int, where: str = "") -> Int32Array:
    """table[d] = round(exp(-d * scale) * 2**k), shape (256,), with the largest k ≤ 23 whose sum fits int32.

    Args:
        scale: real units of one step of the input.
        classes: how many exponentials are added.
        where: the layer, for errors.

    Raises:
        TinsmithError: so many classes that fewer than 8 bits would be left to each.
    """
    bits = min(MAX_BITS, (INT32_MAX // classes).bit_length() - 1)
    if bits < LEAST_BITS:
        raise TinsmithError(
            f"a softmax over {classes:,} classes leaves {bits} bits to each exponential",
            where=where,
            why="their sum must fit int32",
            fix="take the logits as the output, or ArgMax",
        )
    return np.array(_table(scale, bits), np.int32)
