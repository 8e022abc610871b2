"""Constants of one number a channel, along any axis: the file holds them as (C, 1, ...), which broadcasts by itself.

So the axis needs no attribute: it is the rank of the activation less the rank of the constant.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from tinsmith.ir.ops.base import ReadContext


def spread(values: npt.NDArray[Any], axis: int, rank: int) -> npt.NDArray[Any]:
    """(..., C) as (..., C, 1, ...), for an activation of `rank` dimensions with channels along `axis`."""
    return values.reshape(*values.shape, *[1] * (rank - 1 - axis))


def channel_axis(context: ReadContext, index: int) -> int:
    """The axis that the constant at input `index` lies along in the activation at input 0."""
    rank, rank_here = len(context.activation(0).shape), context.rank_of_constant(index)
    if rank_here is None or not 1 <= rank_here <= rank:
        raise context.fail(f"input {index} is no constant of 1 to {rank} dimensions")
    return rank - rank_here


def read_channels(context: ReadContext, index: int, dtype: str, axis: int, rows: int | None = None) -> npt.NDArray[Any]:
    """The constant at input `index` as (C,), or as (rows, C) where `rows` is given."""
    shape = context.activation(0).shape
    first = () if rows is None else (rows,)
    array = context.constant(index, dtype, len(first) + len(shape) - axis)
    wanted = (*first, shape[axis], *[1] * (len(shape) - 1 - axis))
    if array.shape != wanted:
        raise context.fail(f"input {index} has shape {array.shape} where {wanted} belongs")
    return array.reshape(*first, shape[axis])
