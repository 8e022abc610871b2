"""What a kernel is told about the end of its layer: multipliers and a clamp, or limits that go into the bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from tinsmith.ir.exact import Accumulator, Ending, Int32Array, Requantization, Tensor, Threshold

from tinsmith_backends.cpu.layout import Order, transposed
from tinsmith_backends.cpu.lower import Lowering, offset
from tinsmith_backends.cpu.program import View

_UNREAD = (1, 0, -128, 127)
"""shift, y_zp, lo, hi of a kernel that reads none of them."""


@dataclass(frozen=True)
class End:
    """The end of one layer as its kernel takes it.

    Attributes:
        bias: one an output channel; where bits are written, its limit is taken off.
        multiplier: one an output channel.
        scalars: shift, y_zp, lo, hi.
        wide: see kernels/base.py.
        packed: whether the output is bits.
        whole: whether the output is the sums; `multiplier` is empty then and `scalars` are none.
    """

    bias: Int32Array
    multiplier: Int32Array
    scalars: tuple[int, ...]
    wide: bool
    packed: bool
    whole: bool = False

    @property
    def flags(self) -> dict[str, bool]:
        """Fields of a kernel's shape."""
        return {"wide": self.wide, "packed": self.packed}


def end_of(ending: Ending, bias: Int32Array, output: Tensor) -> End:
    """`bias` (C,) and `ending` together. That `bias - limit` fits int32 is part of the proof of ranges."""
    if isinstance(ending, Threshold):
        less = (bias.astype(np.int64) - ending.limit).astype(np.int32)
        return End(less, np.ones_like(less), _UNREAD, wide=False, packed=True)
    if isinstance(ending, Accumulator):
        return End(bias, np.zeros(0, np.int32), (), wide=False, packed=False, whole=True)
    multiplier = np.ascontiguousarray(np.broadcast_to(ending.multiplier, bias.shape))
    return End(bias, multiplier, clamp(ending, output), wide=ending.wide, packed=False)


def clamp(requant: Requantization, output: Tensor) -> tuple[int, int, int, int]:
    """shift, y_zp, lo, hi of a kernel's signature, for the stored value."""
    less = offset(output)
    return requant.shift, requant.zero_point - less, requant.lo - less, requant.hi - less


def int32(values: Any) -> bytes:
    """Constants as bytes."""
    return np.asarray(values, dtype="<i4").tobytes()


def rows_and_columns(order: Order, k: int) -> tuple[Order, Order] | None:
    """Orders of the rows and of the columns of an (M, k) matrix that is stored row after row; None if it is not."""
    matrix = order.reshape(-1, k)
    rows, columns = matrix[:, 0] // k, matrix[0] % k
    return (rows, columns) if np.array_equal(matrix, rows[:, None] * k + columns) else None


def channels_last(state: Lowering, name: str, axis: int, layer: Any) -> tuple[View, Order]:
    """The tensor in bytes with `axis` innermost, and which channel stands at each place of a row.

    Where rows have their channels in another order already, constants follow the data.
    """
    shape = state.tensor(name).shape
    axis %= len(shape)
    found = rows_and_columns(state.views[name].order, shape[axis]) if axis == len(shape) - 1 else None
    if found is not None:
        return state.as_bytes(name, layer), found[1]
    order = transposed(shape, (*(a for a in range(len(shape)) if a != axis), axis))
    return state.in_order(name, order, layer), np.arange(shape[axis])
