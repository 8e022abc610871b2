"""Cases for convolutions by powers of two, with what they must compute."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from kernel_cases import Choose, Rng, conv_shape, int8_values, requant_values
from kernel_harness import Case, weighted_case
from kernel_reference import conv_acc, requantize
from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, ShiftConvShape
from tinsmith_backends.cpu.kernels.bits import pack_rows
from tinsmith_backends.cpu.kernels.manifest import choose


def shifted(shape: ConvShape, bits: int) -> ShiftConvShape:
    """The same geometry with weights of ±2**S."""
    return ShiftConvShape(**{field.name: getattr(shape, field.name) for field in fields(ConvShape)}, bits=bits)


def powers(rng: Rng, shape: ShiftConvShape, *, extreme: bool) -> Any:
    """Weights (Cout, kh, kw, Cin / group), int16; extreme ones are the largest, of one sign in most channels."""
    size = (shape.cout, shape.kh, shape.kw, shape.cin // shape.group)
    largest = (1 << (shape.bits - 1)) - 1
    exponent = np.full(size, largest) if extreme else rng.integers(0, largest + 1, size)
    sign = rng.choice([-1, 1], size)
    if extreme:
        sign[: -(-shape.cout // 3)] = -1
        sign[-(-shape.cout // 3) : -(-2 * shape.cout // 3)] = 1
    return (sign << exponent).astype(np.int16)


def shift_case(shape: ShiftConvShape, isa: Isa, rng: Rng, *, extreme: bool = False, pick: Choose = choose) -> Case:
    """A case for shiftconv. Extreme ones have inputs at one end of their range and the zero point at the other."""
    kernel: Any = pick("shiftconv", shape, isa)
    count = shape.h * shape.w * shape.cin
    end = int(rng.choice([-128, 127]))
    x = np.full(count, end, np.int8) if extreme else int8_values(rng, count, False)
    weight = powers(rng, shape, extreme=extreme)
    x_zp = -1 - end if extreme else int(rng.integers(-128, 128))
    bias = rng.integers(-5000, 5000, shape.cout).astype(np.int32)
    acc = conv_acc(x, weight, bias, x_zp, shape)
    if shape.packed:
        # Limits at the median of each channel, which some sums meet: a tie is no -1.
        bias = (bias - np.median(acc, axis=(0, 1))).astype(np.int32)
        acc = conv_acc(x, weight, bias, x_zp, shape)
        packed = kernel.pack(weight, bias, np.ones(shape.cout, np.int32), x_zp)
        return weighted_case(kernel, x, packed, (x_zp, 1, 0, -128, 127), pack_rows(acc).view(np.int8))
    multiplier, scalars = requant_values(rng, acc, shape.cout, shape.wide)
    expected = requantize(acc, multiplier, *scalars)
    return weighted_case(kernel, x, kernel.pack(weight, bias, multiplier, x_zp), (x_zp, *scalars), expected)


def random_shape(rng: Rng) -> ConvShape:
    """A valid geometry with odd channel counts, groups, strides, dilation, and windows larger than the image."""
    while True:
        group = int(rng.choice([1, 1, 1, 2, 3]))
        shape: ConvShape = conv_shape(
            (int(rng.integers(1, 10)), int(rng.integers(1, 10)), group * int(rng.choice([1, 2, 3, 4, 8, 13, 16, 24]))),
            group * int(rng.integers(1, 40)),
            (int(rng.integers(1, 5)), int(rng.integers(1, 5))),
            (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
            tuple(int(p) for p in rng.integers(0, 4, 4)),
            (int(rng.integers(1, 3)), int(rng.integers(1, 3))),
            group,
            bool(rng.integers(2)),
        )
        if shape.ho > 0 and shape.wo > 0:
            return shape


def without_clamp(case: Case) -> Case:
    """The case with all of the 8-bit range, so that nothing hides behind a clamp."""
    return replace(case, scalars=(*case.scalars[:2], 0, -128, 127))
