"""Random and extreme cases for the kernels of every kind, with what they must compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from kernel_harness import Case, weighted_case
from kernel_reference import average_acc, conv_acc, maximum, requantize
from tinsmith_backends.cpu.kernels.base import ConvShape, ElementShape, Isa, Kernel, PoolShape, Shape, WeightedKernel
from tinsmith_backends.cpu.kernels.bits import pack_rows
from tinsmith_backends.cpu.kernels.manifest import choose

Rng = np.random.Generator
Int32 = npt.NDArray[np.int32]
Choose = Callable[[str, Any, Isa], Kernel]

_INT32 = 2**31 - 1


def conv_shape(
    image: tuple[int, int, int],
    cout: int,
    kernel: tuple[int, int] = (1, 1),
    stride: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilation: tuple[int, int] = (1, 1),
    group: int = 1,
    wide: bool = False,
) -> ConvShape:
    """A convolution of an (h, w, channels) image; pads are (top, left, bottom, right)."""
    (h, w, cin), (kh, kw), (top, left, bottom, right) = image, kernel, pads
    ho = (h + top + bottom - (kh - 1) * dilation[0] - 1) // stride[0] + 1
    wo = (w + left + right - (kw - 1) * dilation[1] - 1) // stride[1] + 1
    return ConvShape(h, w, cin, ho, wo, cout, kh, kw, *stride, top, left, *dilation, group, wide)


def pool_shape(
    image: tuple[int, int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilation: tuple[int, int] = (1, 1),
    wide: bool = False,
) -> PoolShape:
    """A pooling window over an (h, w, channels) image."""
    s = conv_shape(image, 1, kernel, stride, pads, dilation)
    return PoolShape(s.h, s.w, s.cin, s.ho, s.wo, s.kh, s.kw, *stride, s.top, s.left, *dilation, wide)


def int8_values(rng: Rng, size: int | tuple[int, ...], extreme: bool, low: int = -128) -> npt.NDArray[np.int8]:
    """Random over the whole range, or only its two ends."""
    values = rng.choice([low, 127], size) if extreme else rng.integers(low, 128, size)
    return values.astype(np.int8)


def requant_values(rng: Rng, acc: npt.NDArray[np.int64], channels: int, wide: bool) -> tuple[Int32, tuple[int, ...]]:
    """Multipliers and (shift, y_zp, lo, hi) under which `acc` fills the 8-bit range and a little more."""
    largest = max(1, int(np.abs(acc).max()))
    bits = int(rng.choice([12, 31])) if wide else max(1, 30 - largest.bit_length())
    multiplier = rng.integers(1 << (bits - 1), (1 << bits) - 1, channels, endpoint=True).astype(np.int32)
    # The largest accumulator lands near 2**8, so some results are clamped and most are not.
    shift = max(1, largest.bit_length() + bits - 8)
    if not wide:
        shift = min(shift, 30)
        assert largest * int(multiplier.max()) + (1 << (shift - 1)) <= _INT32
    lo = int(rng.choice([-128, -100, 0]))
    hi = int(rng.choice([127, 90]))
    return multiplier, (shift, int(rng.integers(-128, 128)), lo, hi)


UNREAD = (1, 0, -128, 127)
"""shift, y_zp, lo, hi where the output is bits."""


def limits(rng: Rng, acc: npt.NDArray[np.int64]) -> Int32:
    """One limit a channel of `acc` (..., channels): an accumulator that occurs, or one that makes all bits alike."""
    rows = acc.reshape(-1, acc.shape[-1])
    found = rows[rng.integers(rows.shape[0], size=rows.shape[1]), np.arange(rows.shape[1])]
    constant = np.where(rng.integers(2, size=found.size) == 1, rows.min(axis=0), rows.max(axis=0) + 1)
    return np.where(rng.integers(6, size=found.size) == 0, constant, found).astype(np.int32)


def packed_bits(acc: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """The bytes of packed bits, 1 where `acc` (..., channels) is negative."""
    return pack_rows(acc).view(np.int8)


def weighted(kind: str, shape: ConvShape, isa: Isa, rng: Rng, *, extreme: bool = False, pick: Choose = choose) -> Case:
    """A case for conv, depthwise or matmul. Extreme ones have inputs and weights at the ends of their ranges."""
    kernel = pick(kind, shape, isa)
    assert isinstance(kernel, WeightedKernel)
    x = int8_values(rng, shape.h * shape.w * shape.cin, extreme)
    size = (shape.cout, shape.kh, shape.kw, shape.cin // shape.group)
    weight = int8_values(rng, size, extreme, low=-127)
    x_zp = int(rng.choice([-128, 127])) if extreme else int(rng.integers(-128, 128))
    bias = rng.integers(-5000, 5000, shape.cout).astype(np.int32)
    acc = conv_acc(x, weight, bias, x_zp, shape)
    if shape.packed:
        less = limits(rng, acc)
        packed = replace(kernel.pack(weight, bias - less, np.ones_like(bias), x_zp), multiplier=b"")
        return weighted_case(kernel, x, packed, (x_zp, *UNREAD), packed_bits(acc - less))
    multiplier, scalars = requant_values(rng, acc, shape.cout, shape.wide)
    expected = requantize(acc, multiplier, *scalars)
    return weighted_case(kernel, x, kernel.pack(weight, bias, multiplier, x_zp), (x_zp, *scalars), expected)


def average(shape: PoolShape, isa: Isa, rng: Rng, *, extreme: bool = False) -> Case:
    """A case for averagepool."""
    x = int8_values(rng, shape.h * shape.w * shape.c, extreme)
    x_zp = int(rng.integers(-128, 128))
    acc = average_acc(x, x_zp, shape)
    multiplier, scalars = requant_values(rng, acc, 1, shape.wide)
    expected = requantize(acc, multiplier, *scalars)
    pointers = {"x": x.tobytes(), "multiplier": multiplier.tobytes(), "y": expected.size}
    return Case(choose("averagepool", shape, isa), pointers, (x_zp, *scalars), expected)


def maxpool(shape: PoolShape, isa: Isa, rng: Rng, *, extreme: bool = False) -> Case:
    """A case for maxpool."""
    x = int8_values(rng, shape.h * shape.w * shape.c, extreme)
    expected = maximum(x, shape)
    return Case(choose("maxpool", shape, isa), {"x": x.tobytes(), "y": expected.size}, (), expected)


def add(shape: ElementShape, isa: Isa, rng: Rng, *, extreme: bool = False, in_place: str = "") -> Case:
    """A case for add; multipliers are as large as int32 allows."""
    n = shape.pixels * shape.channels
    a, b = int8_values(rng, n, extreme), int8_values(rng, n, extreme)
    a_zp, b_zp = (int(z) for z in rng.integers(-128, 128, 2))
    ma, mb = (int(m) for m in rng.integers(1 << 19, 1 << 21, 2))
    acc = (a.astype(np.int64) - a_zp) * ma + (b.astype(np.int64) - b_zp) * mb
    _, scalars = requant_values(rng, acc, 1, False)
    shift = max(1, int(np.abs(acc).max()).bit_length() - 8)
    scalars = (shift, *scalars[1:])
    assert int(np.abs(acc).max()) + (1 << shift) <= _INT32
    expected = requantize(acc, np.ones(1, np.int32), *scalars)
    pointers = {"a": a.tobytes(), "b": b.tobytes(), "y": n}
    return Case(choose("add", shape, isa), pointers, (a_zp, ma, b_zp, mb, *scalars), expected, in_place)


def requantization(shape: ElementShape, isa: Isa, rng: Rng, *, extreme: bool = False, in_place: str = "") -> Case:
    """A case for requantize."""
    x = int8_values(rng, (shape.pixels, shape.channels), extreme)
    x_zp = int(rng.integers(-128, 128))
    acc = x.astype(np.int64) - x_zp
    multiplier, scalars = requant_values(rng, acc, shape.channels if shape.per_channel else 1, shape.wide)
    expected = requantize(acc, multiplier, *scalars)
    pointers = {"x": x.tobytes(), "multiplier": multiplier.tobytes(), "y": x.size}
    return Case(choose("requantize", shape, isa), pointers, (x_zp, *scalars), expected, in_place)


def with_wide(shapes: list[Any]) -> list[Shape]:
    """Each shape with narrow and with wide requantization."""
    return [replace(s, wide=wide) for s in shapes for wide in (False, True)]
