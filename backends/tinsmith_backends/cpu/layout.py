"""In which order the elements of a tensor are stored, as an index vector, and how to move between two orders.

`order[i]` is the position in ONNX order (row-major) of the i-th stored element. With that, Transpose and Reshape of a
batch of one are other names for the same bytes, and bytes move only where a kernel insists on an order of its own.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import numpy.typing as npt

Order = npt.NDArray[np.int64]
Loops = tuple[tuple[int, int], ...]
"""A loop nest, outermost first: (how often, step in elements)."""


def row_major(shape: tuple[int, ...]) -> Order:
    """ONNX order itself."""
    return np.arange(int(np.prod(shape)), dtype=np.int64)


def transposed(shape: tuple[int, ...], axes: tuple[int, ...]) -> Order:
    """Stored as an array whose axis i is axis `axes[i]` of the tensor."""
    return np.ascontiguousarray(row_major(shape).reshape(shape).transpose(axes)).ravel()


def nhwc(shape: tuple[int, ...]) -> Order:
    """Channels last, for tensors of rank 4; row-major for all others."""
    return transposed(shape, (0, 2, 3, 1)) if len(shape) == 4 else row_major(shape)


def inverse(order: Order) -> Order:
    """Where in storage each ONNX position is."""
    result = np.empty_like(order)
    result[order] = np.arange(order.size, dtype=order.dtype)
    return result


def axes_of(order: Order, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The permutation of axes that this order is, ONNX order if that fits; None if it is no permutation of axes."""
    big = [axis for axis, size in enumerate(shape) if size > 1]
    for moved in permutations(big):
        pick = iter(moved)
        axes = tuple(next(pick) if size > 1 else axis for axis, size in enumerate(shape))
        if np.array_equal(transposed(shape, axes), order):
            return _nhwc_axes(shape, order) or axes
    return None


def _nhwc_axes(shape: tuple[int, ...], order: Order) -> tuple[int, ...] | None:
    """Channels last is the name that a reader expects wherever it is true, as for a 1×1 image."""
    return (0, 2, 3, 1) if len(shape) == 4 and np.array_equal(order, nhwc(shape)) else None


def loops(index: Order) -> Loops | None:
    """The loop nest that counts through `index`, which must begin at 0; None if there is none.

    From the inside out, each loop is as long as the step stays the same.
    """
    found: list[tuple[int, int]] = []
    while index.size > 1:
        step = int(index[1] - index[0])
        count = _arithmetic(index, step)
        if count == 1:
            return None
        found.append((count, step))
        index = index[::count]
    return tuple(reversed(found))


def _arithmetic(index: Order, step: int) -> int:
    """The longest run that divides `index` into arithmetic progressions of one step."""
    breaks = np.flatnonzero(np.diff(index) != step)
    longest = int(breaks[0]) + 1 if breaks.size else index.size
    for count in range(longest, 0, -1):
        if index.size % count:
            continue
        rows = index.reshape(-1, count)
        if np.array_equal(rows, rows[:, :1] + step * np.arange(count)):
            return count
    return 1


def reorderable(order: Order) -> bool:
    """Whether loop nests lead from this order to ONNX order and back."""
    return loops(order) is not None and loops(inverse(order)) is not None
