"""Shapes and windows in plain integers: what constraints ask about and passes then carry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]


@dataclass(frozen=True)
class Window:
    """A 2-D window with everything explicit. pads: (top, left, bottom, right)."""

    kernel: Pair
    strides: Pair
    dilations: Pair
    pads: Pads

    def output(self, size: Pair) -> Pair:
        """Rows and columns that the window makes of an input of `size`, rounding down."""
        return (self._output(0, size[0]), self._output(1, size[1]))

    def extent(self, axis: int) -> int:
        """Elements that the window spans along `axis`."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def _output(self, axis: int, size: int) -> int:
        padded = size + self.pads[axis] + self.pads[axis + 2]
        return (padded - self.extent(axis)) // self.strides[axis] + 1


def window(attributes: Mapping[str, Any], kernel: Pair, size: Pair) -> Window:
    """The window that a Conv's or a pool's attributes mean, `auto_pad` resolved; `ceil_mode` is `overhang`'s.

    Args:
        attributes: strides, dilations, pads and auto_pad, where given.
        kernel: rows and columns of the kernel.
        size: rows and columns of the input.
    """
    strides = _pair(attributes.get("strides", (1, 1)))
    dilations = _pair(attributes.get("dilations", (1, 1)))
    auto = attributes.get("auto_pad", "NOTSET")
    if auto == "VALID":
        return Window(kernel, strides, dilations, (0, 0, 0, 0))
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        bare = Window(kernel, strides, dilations, (0, 0, 0, 0))
        (top, bottom), (left, right) = (_same(bare, axis, size[axis], auto == "SAME_LOWER") for axis in (0, 1))
        return Window(kernel, strides, dilations, (top, left, bottom, right))
    top, left, bottom, right = (int(p) for p in attributes.get("pads", (0, 0, 0, 0)))
    return Window(kernel, strides, dilations, (top, left, bottom, right))


def _same(bare: Window, axis: int, size: int, lower: bool) -> Pair:
    """Padding before and after, for an output of size / stride rounded up; the odd element goes after, or before."""
    stride = bare.strides[axis]
    total = max((-(-size // stride) - 1) * stride + bare.extent(axis) - size, 0)
    return (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)


def in_two_axes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a window along one axis as those of the same window on an image of one row."""
    fill = {"kernel_shape": 1, "strides": 1, "dilations": 1}
    both: dict[str, Any] = {name: (fill[name], *value) if name in fill else value for name, value in attributes.items()}
    if "pads" in both:
        begin, end = both["pads"]
        both["pads"] = (0, begin, 0, end)
    return both


def overhang(w: Window, size: Pair) -> Window:
    """`w` with as much padding at the end as makes rounding down give what `ceil_mode=1` gives.

    A window that would start in the padding at the end is not counted, as in PyTorch and onnxruntime.
    """
    ends = []
    for axis in (0, 1):
        begin, stride = w.pads[axis], w.strides[axis]
        count = -(-(size[axis] + begin + w.pads[axis + 2] - w.extent(axis)) // stride) + 1
        if (count - 1) * stride >= size[axis] + begin:
            count -= 1
        ends.append(max((count - 1) * stride + w.extent(axis) - size[axis] - begin, 0))
    return Window(w.kernel, w.strides, w.dilations, (w.pads[0], w.pads[1], ends[0], ends[1]))


def channel_axis(shape: tuple[int, ...], constant: tuple[int, ...]) -> int | None:
    """The axis of `shape` along which a constant of shape `constant` varies when it is broadcast to it.

    Returns 1 (or 0 for a vector) where the constant is a single number. None where it cannot be taken as one factor or
    summand per channel: it varies along several axes, makes the result larger, or stands behind an axis longer than 1.
    """
    if len(constant) > len(shape):
        return None
    padded = (1,) * (len(shape) - len(constant)) + tuple(constant)
    varying = [i for i, d in enumerate(padded) if d != 1]
    if any(padded[i] != shape[i] for i in varying) or len(varying) > 1:
        return None
    axis = varying[0] if varying else min(1, len(shape) - 1)
    return axis if varying == [] or prod(shape[:axis]) == 1 else None


def as_image(shape: tuple[int, ...], axis: int) -> tuple[int, int, int, int]:
    """`shape` as one image whose channels are `axis`; everything before `axis` must be 1 long."""
    return (1, shape[axis], prod(shape[axis + 1 :]), 1)


def _pair(values: Any) -> Pair:
    first, second = (int(v) for v in values)
    return first, second
