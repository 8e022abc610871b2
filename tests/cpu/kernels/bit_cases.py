"""Cases for the kernels around packed bits, and for what stands between layers of one bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from kernel_cases import UNREAD, Rng, int8_values, limits, packed_bits, requant_values
from kernel_harness import Case
from kernel_reference import requantize, windows
from tinsmith_backends.cpu.kernels.base import ElementShape, Isa, MultiplyShape, PoolShape
from tinsmith_backends.cpu.kernels.bits import WORD, pack_rows
from tinsmith_backends.cpu.kernels.manifest import choose


def signs(rng: Rng, *size: int) -> npt.NDArray[np.int8]:
    """Random -1 and +1."""
    return rng.choice(np.array([-1, 1], np.int8), size)


def binarize(shape: ElementShape, isa: Isa, rng: Rng) -> Case:
    """Limits that occur, and both ends of the range."""
    x = int8_values(rng, (shape.pixels, shape.channels), False)
    limit = x[rng.integers(shape.pixels, size=shape.channels), np.arange(shape.channels)]
    limit = np.where(rng.integers(5, size=limit.size) == 0, rng.choice([-128, 127]), limit).astype(np.int8)
    flip = signs(rng, shape.channels)
    expected = pack_rows(np.where((x < limit) ^ (flip < 0), -1, 1)).view(np.int8)
    padded = np.pad(limit, (0, -shape.channels % WORD))
    pointers: dict[str, bytes | int] = {
        "x": x.tobytes(),
        "limit": padded.tobytes(),
        "flip": pack_rows(flip).tobytes(),
        "y": expected.size,
    }
    return Case(choose("binarize", shape, isa), pointers, (), expected)


def binary_maxpool(shape: PoolShape, isa: Isa, rng: Rng) -> Case:
    """Maxima, and minima where the sign is -1; every window has a tap inside."""
    x, sign = signs(rng, shape.h, shape.w, shape.c), signs(rng, shape.c)
    taken = windows((x * sign).astype(np.int64), shape, -2).max(axis=(2, 3))
    expected = packed_bits(taken * sign)
    pointers: dict[str, bytes | int] = {
        "x": pack_rows(x).tobytes(),
        "flip": pack_rows(sign).tobytes(),
        "y": expected.size,
    }
    return Case(choose("binarymaxpool", shape, isa), pointers, (), expected)


def piecewise_linear(shape: ElementShape, isa: Isa, rng: Rng, *, extreme: bool = False, in_place: str = "") -> Case:
    """Knees that occur; with `extreme`, sums of 30 bits."""
    x = int8_values(rng, (shape.pixels, shape.channels), extreme)
    x_zp = int(rng.integers(-128, 128))
    v = x.astype(np.int64) - x_zp
    shift = 22 if extreme else int(rng.integers(1, 15))
    multiplier = rng.integers(-(2**shift), 2**shift, (2, shape.channels)).astype(np.int32)
    offset = rng.integers(-100 << shift, 100 << shift, (2, shape.channels)).astype(np.int32)
    knee = v[rng.integers(shape.pixels, size=shape.channels), np.arange(shape.channels)].astype(np.int32)
    pieces = [v * multiplier[k].astype(np.int64) + offset[k] for k in (0, 1)]
    ends = (shift, int(rng.integers(-100, 100)), int(rng.choice([-128, -50])), int(rng.choice([127, 60])))
    expected = requantize(np.where(v >= knee, pieces[1], pieces[0]), np.ones(1, np.int32), *ends)
    pointers: dict[str, bytes | int] = {
        "x": x.tobytes(),
        "knee": knee.tobytes(),
        "multiplier": multiplier.tobytes(),
        "offset": offset.tobytes(),
        "y": expected.size,
    }
    return Case(choose("piecewiselinear", shape, isa), pointers, (x_zp, *ends), expected, in_place)


def multiply(shape: MultiplyShape, isa: Isa, rng: Rng, *, extreme: bool = False, in_place: str = "") -> Case:
    """b for each element, for each pixel, or one for all."""
    a = int8_values(rng, (shape.pixels, shape.channels), extreme)
    b = int8_values(rng, shape.b_values, extreme)
    zeros = tuple(int(z) for z in rng.integers(-128, 128, 2))
    bias = rng.integers(-5000, 5000, shape.channels).astype(np.int32)
    factors = b.astype(np.int64).reshape((1, 1) if b.size == 1 else (shape.pixels, -1)) - zeros[1]
    acc = (a.astype(np.int64) - zeros[0]) * factors + bias
    pointers: dict[str, Any] = {"a": a.tobytes(), "b": b.tobytes()}
    if shape.packed:
        less = limits(rng, acc)
        expected, scalars = packed_bits(acc - less), UNREAD
        pointers |= {"bias": (bias - less).tobytes(), "multiplier": b""}
    else:
        multiplier, scalars = requant_values(rng, acc, shape.channels, shape.wide)
        expected = requantize(acc, multiplier, *scalars)
        pointers |= {"bias": bias.tobytes(), "multiplier": multiplier.tobytes()}
    pointers["y"] = expected.size
    return Case(choose("multiply", shape, isa), pointers, (*zeros, *scalars), expected, in_place)


def table(shape: ElementShape, isa: Isa, rng: Rng, *, in_place: str = "") -> Case:
    """Every byte, as far as the tensor has room for it."""
    x = rng.permutation(np.resize(np.arange(-128, 128, dtype=np.int8), shape.pixels * shape.channels))
    results = rng.integers(-128, 128, 256).astype(np.int8)
    expected = results[x.astype(np.int64) + 128]
    pointers: dict[str, bytes | int] = {"x": x.tobytes(), "results": results.tobytes(), "y": expected.size}
    return Case(choose("table", shape, isa), pointers, (), expected, in_place)


def absolute_sum(shape: ElementShape, isa: Isa, rng: Rng, *, extreme: bool = False) -> Case:
    """Sums over rows, which are never negative: the zero point leaves them the whole range."""
    x = int8_values(rng, (shape.pixels, shape.channels), extreme)
    x_zp = int(rng.integers(-128, 128))
    acc = np.abs(x.astype(np.int64) - x_zp).sum(axis=1)
    multiplier, (shift, *_) = requant_values(rng, acc, 1, shape.wide)
    scalars = (shift, -128, -128, 127)
    expected = requantize(acc, multiplier, *scalars)
    pointers: dict[str, bytes | int] = {"x": x.tobytes(), "multiplier": multiplier.tobytes(), "y": expected.size}
    return Case(choose("absolutesum", shape, isa), pointers, (x_zp, *scalars), expected)
