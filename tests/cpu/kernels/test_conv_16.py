"""Kernels that read or make 16 bits: the same plain loops on every instruction set, equal to numpy to the bit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from kernel_cases import Rng, conv_shape, limits, packed_bits
from kernel_harness import Case, assert_exact, flipped, weighted_case
from kernel_reference import conv_acc
from shift_cases import powers, random_shape
from test_scalar import SANITIZED
from tinsmith_backends.cpu.kernels.base import Conv16Shape, ConvShape, Isa, ShiftConv16Shape
from tinsmith_backends.cpu.kernels.manifest import choose

BITS = ((16, 16), (16, 8), (8, 16))
SHAPES = (
    conv_shape((5, 6, 3), 5, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((7, 7, 4), 8, (3, 2), (2, 2), (0, 1, 1, 0), (1, 2)),
    conv_shape((4, 3, 6), 4, (2, 2), (1, 1), (1, 0, 0, 1), group=2),
    conv_shape((1, 3, 37), 10),
    conv_shape((6, 5, 3), 6, (3, 3), (1, 1), (2, 2, 2, 2), (2, 2), group=3),
)
REACH = {8: (-128, 127), 16: (-32768, 32767)}


def sized(shape: ConvShape, x_bits: int, y_bits: int, **more: Any) -> Any:
    """The same geometry for other types; with `bits`, by powers of two."""
    given = {field.name: getattr(shape, field.name) for field in fields(ConvShape)} | more
    return (ShiftConv16Shape if "bits" in more else Conv16Shape)(**given, x_bits=x_bits, y_bits=y_bits)


def case(shape: Any, isa: Isa, rng: Rng, *, extreme: bool = False, sums: bool = False) -> Case:
    """One call; extreme ones have inputs and weights at the ends of their ranges."""
    shifts = isinstance(shape, ShiftConv16Shape)
    kernel: Any = choose("convsum" if sums else "shiftconv16" if shifts else "conv16", shape, isa)
    lo, hi = REACH[shape.x_bits]
    count = shape.h * shape.w * shape.cin
    x = rng.choice([lo, hi], count) if extreme else rng.integers(lo, hi + 1, count)
    x = x.astype(f"<i{shape.x_bits // 8}")
    size = (shape.cout, shape.kh, shape.kw, shape.cin // shape.group)
    weight = powers(rng, shape, extreme=extreme) if shifts else rng.choice([-127, 127], size).astype(np.int8)
    if not (extreme or shifts):
        weight = rng.integers(-127, 128, size).astype(np.int8)
    x_zp = 0 if shape.x_bits == 16 else int(rng.integers(-128, 128))
    bias = rng.integers(-5_000_000, 5_000_000, shape.cout).astype(np.int32)
    acc = conv_acc(x, weight, bias, x_zp, shape)
    assert np.abs(acc).max() < 2**31
    if sums:
        packed = kernel.pack(weight, bias, np.zeros(0, np.int32), x_zp)
        expected = stored(acc, 32)
        pointers = {"x": x.tobytes(), "w": packed.weight, "bias": packed.bias, "y": expected.size}
        return Case(kernel, {**pointers, "scratch": kernel.scratch_bytes}, (x_zp,), expected)
    if shape.packed:
        less = limits(rng, acc)
        packed = kernel.pack(weight, (bias - less).astype(np.int32), np.zeros(0, np.int32), x_zp)
        return weighted_case(kernel, x, packed, (x_zp, 1, 0, -128, 127), packed_bits(acc - less))
    multiplier, scalars = requantization(rng, acc, shape)
    scaled = (acc * multiplier.astype(np.int64) + (1 << (scalars[0] - 1))) >> scalars[0]
    expected = stored(np.clip(scaled + scalars[1], *scalars[2:]), shape.y_bits)
    return weighted_case(kernel, x, kernel.pack(weight, bias, multiplier, x_zp), (x_zp, *scalars), expected)


def stored(values: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int8]:
    return values.astype(f"<i{bits // 8}").ravel().view(np.int8)


def requantization(rng: Rng, acc: npt.NDArray[np.int64], shape: Any) -> tuple[npt.NDArray[np.int32], tuple[int, ...]]:
    """Multipliers and (shift, y_zp, lo, hi) under which some results are clamped and most are not."""
    largest = int(np.abs(acc).max()).bit_length()
    bits = 31 if shape.wide else max(1, 30 - largest)
    multiplier = rng.integers(1 << (bits - 1), 1 << bits, shape.cout).astype(np.int32)
    shift = max(1, min(largest + bits - shape.y_bits, 62 if shape.wide else 29))
    lo, hi = REACH[shape.y_bits]
    return multiplier, (shift, 0 if shape.y_bits == 16 else 7, int(rng.choice([lo, 0])), hi)


def all_cases(isa: Isa) -> list[Case]:
    rng = np.random.default_rng(5)
    cases = []
    for number, shape in enumerate(SHAPES):
        for turn, (x_bits, y_bits) in enumerate(BITS):
            wide, extreme = (number + turn) % 2 == 0, number % 3 == 0
            cases.append(case(sized(shape, x_bits, y_bits, wide=wide), isa, rng, extreme=extreme))
            if turn == number % 3:
                more = {"wide": not wide, "bits": 2 + number % 3}
                cases.append(case(sized(shape, x_bits, y_bits, **more), isa, rng, extreme=extreme))
    cases.append(case(sized(SHAPES[0], 16, 8), isa, rng, sums=True))
    cases.append(case(sized(SHAPES[1], 16, 8, packed=True), isa, rng))
    cases.append(case(sized(SHAPES[1], 16, 8, packed=True, bits=3), isa, rng))
    return cases


SLOW = [pytest.param(isa, marks=pytest.mark.slow) for isa in ("neon", "neondot", "neon32")]


@pytest.mark.parametrize("isa", ["avx2", "simd128", "dsp", *SLOW])
def test_every_instruction_set_is_exact(tmp_path, isa):
    cases = all_cases(isa)
    assert_exact(cases, isa, tmp_path, spoiled=flipped(cases[0], ("x", "w", "bias", "multiplier"), mask=1))


def test_c_is_exact_and_clean_under_sanitizers(tmp_path):
    cases = all_cases("scalar")
    spoiled = flipped(cases[0], ("x", "w", "bias", "multiplier"), mask=1)
    assert_exact(cases, "scalar", tmp_path, ["gcc", *SANITIZED], spoiled)


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["scalar", "avx2", "neon", "neondot", "neon32", "simd128", "dsp"])
def test_random_geometries(tmp_path, isa):
    rng = np.random.default_rng(9)
    cases = []
    for turn in range(40):
        x_bits, y_bits = BITS[turn % 3]
        more = {"wide": bool(rng.integers(2))} | ({"bits": int(rng.integers(2, 5))} if turn % 4 == 0 else {})
        cases.append(case(sized(random_shape(rng), x_bits, y_bits, **more), isa, rng, extreme=turn % 5 == 0))
    assert_exact(cases, isa, tmp_path)
