"""Cases of binary convolutions, with what they must compute."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from kernel_cases import requant_values
from kernel_harness import Case
from kernel_reference import requantize, windows
from tinsmith_backends.cpu.kernels.base import BinaryConvShape, Isa, WeightedKernel
from tinsmith_backends.cpu.kernels.bits import pack_rows
from tinsmith_backends.cpu.kernels.manifest import choose

Rng = np.random.Generator
Int8 = npt.NDArray[np.int8]


def binary_shape(
    image: tuple[int, int, int],
    cout: int,
    kernel: tuple[int, int] = (1, 1),
    stride: tuple[int, int] = (1, 1),
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilation: tuple[int, int] = (1, 1),
    pad_value: int = 1,
    wide: bool = False,
    packed: bool = True,
) -> BinaryConvShape:
    """A binary convolution of an (h, w, channels) image; pads are (top, left, bottom, right)."""
    (h, w, cin), (kh, kw), (top, left, bottom, right) = image, kernel, pads
    ho = (h + top + bottom - (kh - 1) * dilation[0] - 1) // stride[0] + 1
    wo = (w + left + right - (kw - 1) * dilation[1] - 1) // stride[1] + 1
    return BinaryConvShape(
        h, w, cin, ho, wo, cout, kh, kw, *stride, top, left, *dilation, pad_value=pad_value, wide=wide, packed=packed
    )


def signs(rng: Rng, size: int | tuple[int, ...], same: int = 0) -> Int8:
    """Random -1 and +1, or all `same` if that is not 0."""
    return (np.full(size, same) if same else rng.choice([-1, 1], size)).astype(np.int8)


def binary_acc(x: Int8, weight: Int8, s: BinaryConvShape) -> npt.NDArray[np.int64]:
    """Sums (ho, wo, cout) from the definition. x: (h, w, cin); weight: (cout, kh, kw, cin)."""
    taken = windows(x.astype(np.int64), s, s.pad_value)  # type: ignore[arg-type]
    return np.tensordot(taken, weight.astype(np.int64), axes=((2, 3, 4), (1, 2, 3)))


def binary(
    shape: BinaryConvShape, isa: Isa, rng: Rng, *, x_same: int = 0, w_same: int = 0, clamped: bool = True
) -> Case:
    """A case; `x_same` and `w_same` make all inputs or weights equal. Limits are ties for some of the outputs.

    Without `clamped` no result hides behind a clamp.
    """
    kernel = choose("binaryconv", shape, isa)
    assert isinstance(kernel, WeightedKernel)
    s = shape
    x = signs(rng, (s.h, s.w, s.cin), x_same)
    weight = signs(rng, (s.cout, s.kh, s.kw, s.cin), w_same)
    acc = binary_acc(x, weight, s)
    bias = -rng.choice(acc.reshape(-1), s.cout).astype(np.int32) + rng.integers(-1, 2, s.cout).astype(np.int32)
    total = acc + bias
    if s.packed:
        if s.cout > 2:  # Channels that are always one and always the other.
            bias[0], bias[1] = 2**31 - 1 - s.kh * s.kw * s.cin, -(2**31) + s.kh * s.kw * s.cin
            total = acc + bias
        multiplier, scalars = np.ones(s.cout, np.int32), (0, 0, 0, 0)
        words = pack_rows(total)
        expected = words.view(np.int8).reshape(s.ho, s.wo, -1)
    else:
        multiplier, scalars = requant_values(rng, total, s.cout, s.wide)
        if not clamped:
            scalars = (scalars[0] + 2, 0, -128, 127)
        expected = requantize(total, multiplier, *scalars)
    packed = kernel.pack(weight, bias, multiplier, 0)
    pointers: dict[str, Any] = {
        "x": pack_rows(x).tobytes(),
        "w": packed.weight,
        "bias": packed.bias,
        "multiplier": packed.multiplier,
        "y": expected.size,
        "scratch": kernel.scratch_bytes,
    }
    return Case(kernel, pointers, scalars, expected)


def every_ending(shape: BinaryConvShape) -> list[BinaryConvShape]:
    """Bits, and bytes by narrow and wide requantization."""
    return [shape, replace(shape, packed=False), replace(shape, packed=False, wide=True)]


def random_shape(rng: Rng) -> BinaryConvShape:
    """A valid geometry, biased towards edges: channels around whole words, windows larger than the image, one pixel."""
    while True:
        shape = binary_shape(
            (int(rng.integers(1, 9)), int(rng.integers(1, 12)), int(rng.choice([1, 3, 31, 32, 33, 40, 64, 100, 128]))),
            int(rng.choice([1, 2, 8, 31, 32, 33, 40, 60, 64])),
            (int(rng.integers(1, 5)), int(rng.integers(1, 5))),
            (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
            tuple(int(p) for p in rng.integers(0, 4, 4)),  # type: ignore[arg-type]
            (int(rng.integers(1, 3)), int(rng.integers(1, 3))),
            pad_value=int(rng.choice([-1, 0, 1])),
            wide=bool(rng.integers(2)),
            packed=bool(rng.integers(2)),
        )
        if shape.ho > 0 and shape.wo > 0:
            return shape
