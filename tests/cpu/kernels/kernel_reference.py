"""What each kernel computes, in numpy int64, written from the definition in the exact graph's records."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tinsmith_backends.cpu.kernels.base import ConvShape, PoolShape

Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]


def requantize(acc: Int64, multiplier: npt.NDArray[np.int32], shift: int, zero_point: int, lo: int, hi: int) -> Int8:
    """clamp(zp + ((acc * M + 2**(s-1)) >> s), lo, hi)."""
    scaled = (acc * multiplier.astype(np.int64) + (1 << (shift - 1))) >> shift
    return np.clip(scaled + zero_point, lo, hi).astype(np.int8)


def windows(x: Int64, shape: ConvShape | PoolShape, fill: int) -> Int64:
    """(ho, wo, kh, kw, channels) of an image (h, w, channels), padded with `fill` as far as the windows reach."""
    s = shape
    down = (s.ho - 1) * s.stride_h + (s.kh - 1) * s.dilation_h + 1 - s.top
    right = (s.wo - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1 - s.left
    pads = ((s.top, max(0, down - s.h)), (s.left, max(0, right - s.w)), (0, 0))
    padded = np.pad(x, pads, constant_values=fill)
    rows = np.arange(s.ho)[:, None] * s.stride_h + np.arange(s.kh) * s.dilation_h
    columns = np.arange(s.wo)[:, None] * s.stride_w + np.arange(s.kw) * s.dilation_w
    return padded[rows[:, None, :, None], columns[None, :, None, :]]


def conv_acc(x: Int8, weight: Int8, bias: npt.NDArray[np.int32], x_zp: int, shape: ConvShape) -> Int64:
    """Accumulators (ho, wo, cout) of any convolution. weight: (cout, kh, kw, cin / group)."""
    s = shape
    w = weight.astype(np.int64)
    groups = []
    taken = windows(x.reshape(s.h, s.w, s.cin).astype(np.int64) - x_zp, s, 0)
    inputs, outputs = s.cin // s.group, s.cout // s.group
    for g in range(s.group):
        part = taken[..., g * inputs : (g + 1) * inputs]
        groups.append(np.tensordot(part, w[g * outputs : (g + 1) * outputs], axes=((2, 3, 4), (1, 2, 3))))
    return np.concatenate(groups, axis=-1) + bias.astype(np.int64)


def average_acc(x: Int8, x_zp: int, shape: PoolShape) -> Int64:
    """Sums (ho, wo, c) of the window; padding counts as zero."""
    image = x.reshape(shape.h, shape.w, shape.c).astype(np.int64) - x_zp
    return windows(image, shape, 0).sum(axis=(2, 3))


def maximum(x: Int8, shape: PoolShape) -> Int8:
    """Maxima (ho, wo, c) of the window; padding never wins."""
    image = x.reshape(shape.h, shape.w, shape.c).astype(np.int64)
    return windows(image, shape, -128).max(axis=(2, 3)).astype(np.int8)
