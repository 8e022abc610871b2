"""Packing signs behind int8 convolutions, and the small kernels around packed bits, byte by byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bit_cases import absolute_sum, binarize, binary_maxpool, multiply, piecewise_linear, table
from kernel_cases import conv_shape, pool_shape, weighted
from kernel_harness import Case, assert_exact, flipped
from tinsmith_backends.cpu.kernels.base import ConvShape, ElementShape, Isa, MultiplyShape

STRICT = ["gcc", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1"]
SANITIZED = [*STRICT, "-DEXACT_ALLOCATIONS", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ISA_NAMES = ("scalar", "neon", "dsp", "avx2", "neondot", "neon32", "simd128")
ISAS = ["scalar", "neon", *(pytest.param(isa, marks=pytest.mark.slow) for isa in ISA_NAMES[2:])]
CHANNELS = (1, 3, 31, 33, 40, 64, 300)

CONV = [
    conv_shape((5, 6, 3), 5, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((4, 3, 6), 34, (2, 2), (1, 1), (1, 0, 0, 1), group=2),
    conv_shape((1, 1, 64), 40),
    conv_shape((5, 5, 16), 33),
    conv_shape((7, 7, 32), 64, (3, 3), (2, 2), (1, 1, 1, 1)),
    conv_shape((3, 3, 8), 1),
]
DEPTHWISE = [conv_shape((5, 6, c), c, (3, 3), (1, 1), (1, 1, 1, 1), group=c) for c in (1, 33, 40, 64)]


def cases(isa: Isa) -> list[Case]:
    rng = np.random.default_rng(1)
    kinds = [("conv", s) for s in CONV] + [("depthwise", s) for s in DEPTHWISE]
    found = [weighted(kind, replace(s, packed=True), isa, rng, extreme=i % 2 == 0) for i, (kind, s) in enumerate(kinds)]
    for i, channels in enumerate(CHANNELS):
        extreme, in_place = i % 3 == 1, ("", "x")[i % 2]
        row = ElementShape(5, channels, per_channel=True, wide=False)
        found += [binarize(row, isa, rng), piecewise_linear(row, isa, rng, extreme=extreme, in_place=in_place)]
        found.append(binary_maxpool(pool_shape((6, 5, channels), (3, 2), (2, 1), (1, 1, 2, 0), (1, 2)), isa, rng))
        found.append(absolute_sum(replace(row, wide=extreme), isa, rng, extreme=extreme))
        found.append(table(row, isa, rng, in_place=in_place))
        for packed in (False, True):
            shape = MultiplyShape(5, channels, (1, 5, 5 * channels)[i % 3], not packed and bool(i % 2), packed)
            place = "a" if in_place and not packed else ""
            found.append(multiply(shape, isa, rng, extreme=extreme, in_place=place))
    return found


def spoiled(isa: Isa) -> list[Case]:
    """Each constant and each input of a case of every kind, wrong in one bit of each byte."""
    rng = np.random.default_rng(2)
    packed: ConvShape = replace(CONV[1], packed=True)
    row = ElementShape(4, 40, per_channel=True, wide=False)
    return [
        *flipped(weighted("conv", packed, isa, rng), ("x", "w", "bias"), mask=0x80),
        *flipped(binarize(row, isa, rng), ("x", "limit", "flip"), mask=0x80),
        *flipped(binary_maxpool(pool_shape((4, 4, 40), (1, 1)), isa, rng), ("x",), mask=1),
        *flipped(piecewise_linear(row, isa, rng), ("x", "multiplier", "offset"), mask=0x40),
        *flipped(multiply(MultiplyShape(4, 40, 160, False, True), isa, rng), ("a", "b", "bias"), mask=0x80),
        *flipped(table(replace(row, pixels=8), isa, rng), ("x", "results"), mask=0x40),
        *flipped(absolute_sum(replace(row, pixels=30), isa, rng), ("x", "multiplier"), mask=0x40),
    ]


@pytest.mark.parametrize("isa", ISAS)
def test_bits_and_what_stands_around_them(isa: Isa, tmp_path: Path) -> None:
    compiler = SANITIZED if isa == "scalar" else ()
    # A wrong constant may overflow, which the sanitizer would stop at.
    assert_exact(cases(isa), isa, tmp_path, compiler, () if compiler else spoiled(isa))
