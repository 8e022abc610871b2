"""A transposed convolution along one axis, seen as a convolution for each phase of its stride."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinsmith.passes.rewrite import Array


@dataclass(frozen=True)
class Phases:
    """How phase j = 0 … stride - 1 of the output, out[q * stride + j], reads the input around place q.

    Attributes:
        tap: (stride, kernel) which tap of the transposed kernel each phase has at each place of the convolution's
            kernel; as many as the transposed kernel has stand for none.
        pads: zeros before and after the input.
        count: places q, enough for every output.
    """

    tap: Array
    pads: tuple[int, int]
    count: int

    @classmethod
    def of(cls, size: int, wanted: int, kernel: int, stride: int, crop: int) -> Phases:
        """Of an input of `size`, with the first `crop` outputs cut off and `wanted` kept.

        Output n is place m = n + crop of the uncut one, which sums x[i] * w[m - i * stride]. With m = (q + a) * stride
        + b, tap b + t * stride meets x[q + a - t].
        """
        count = -(-wanted // stride)
        a, b = np.divmod(np.arange(stride) + crop, stride)
        terms = -(-(kernel - b) // stride)
        first = min(0, int((a - terms + 1).min()))
        last = max(0, int(a.max()), size - count)
        t = a[:, None] - np.arange(first, last + 1)
        tap = b[:, None] + t * stride
        tap = np.where((t >= 0) & (tap < kernel), tap, kernel)
        return cls(tap, (-first, count - size + last), count)


def spread(weight: Array, dilations: tuple[int, ...]) -> Array:
    """`weight` (I, O, …) with zeros between its taps in place of dilation."""
    for axis, dilation in enumerate(dilations, start=2):
        shape = list(weight.shape)
        shape[axis] = (shape[axis] - 1) * dilation + 1
        wide = np.zeros(shape, weight.dtype)
        np.moveaxis(wide, axis, 0)[::dilation] = np.moveaxis(weight, axis, 0)
        weight = wide
    return weight


def kernels(weight: Array, group: int, axes: list[Phases]) -> Array:
    """A convolution's weight (O', I / group, …) from a transposed one's (I, O / group, …).

    Output channels are ordered (group, phase along each axis, channel).
    """
    for axis, phases in enumerate(axes):
        place = 2 + 2 * axis  # those before have become (phase, kernel)
        weight = np.concatenate([weight, np.zeros_like(weight.take([0], place))], place)
        weight = weight.take(phases.tap.reshape(-1), place)
        shape = weight.shape
        weight = weight.reshape(*shape[:place], *phases.tap.shape, *shape[place + 1 :])
    rank = len(axes)
    grouped = weight.reshape(group, -1, *weight.shape[1:])  # (group, I / group, O / group, r, k, r, k)
    phase, kernel = (tuple(range(first, 3 + 2 * rank, 2)) for first in (3, 4))
    ordered = grouped.transpose(0, *phase, 2, 1, *kernel)
    return ordered.reshape(-1, *ordered.shape[2 + rank :])
