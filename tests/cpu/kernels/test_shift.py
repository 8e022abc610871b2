from dataclasses import replace

import numpy as np
import pytest
from kernel_cases import conv_shape
from kernel_harness import Case, assert_exact, run_cases
from shift_cases import random_shape, shift_case, shifted, without_clamp
from tinsmith_backends.cpu.kernels.base import Isa

ISAS: list[Isa] = ["scalar", "avx2", "neon", "neondot", "neon32", "simd128", "dsp"]

SHAPES = [
    conv_shape((9, 7, 16), 32, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((7, 9, 5), 21, (3, 2), (2, 1), (0, 1, 1, 0), (1, 2)),
    conv_shape((6, 6, 12), 20, (2, 2), (1, 2), (1, 0, 0, 1), group=4),
    conv_shape((7, 6, 16), 32, (1, 1), (2, 2)),
    conv_shape((4, 5, 64), 64, (1, 1), group=2),
    conv_shape((1, 1, 77), 10),
    conv_shape((1, 3, 640), 33),
    conv_shape((5, 6, 21), 21, (3, 3), (1, 1), (1, 1, 1, 1), group=21),
]


def cases(isa: Isa, seed: int, extra: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    shapes = [*SHAPES, *(random_shape(rng, conv_shape) for _ in range(extra))]
    shapes = [replace(s, wide=not s.wide if i % 2 else s.wide) for i, s in enumerate(shapes)]
    found = []
    for i, shape in enumerate(shapes):
        bits = 2 + i % 3
        found += [shift_case(shifted(shape, bits), isa, rng, extreme=extreme) for extreme in (False, True)]
        if i % 3 == 0:
            found.append(shift_case(replace(shifted(shape, bits), packed=True), isa, rng))
    return found


def flipped_codes(isa: Isa) -> list[Case]:
    """For each width of codes a case, and the same with one bit of a code flipped."""
    found = []
    for bits in (2, 3, 4):
        shape = shifted(conv_shape((1, 4, 8), 32, wide=True), bits)
        case = without_clamp(shift_case(shape, isa, np.random.default_rng(5), extreme=True))
        data = bytearray(case.pointers["w"])
        data[17] ^= 8
        found += [case, replace(case, pointers={**case.pointers, "w": bytes(data)})]
    return found


@pytest.mark.parametrize("isa", ISAS)
def test_shift_convolutions_are_exact_and_flipped_bits_are_noticed(tmp_path, isa):
    """One program for all, because code generation starts slowly."""
    good, spoiled = cases(isa, 3, 4), flipped_codes(isa)
    outputs = run_cases([*good, *spoiled], isa, tmp_path)
    for case, got in zip(good, outputs, strict=False):
        count = int((got != case.expected).sum())
        assert count == 0, f"{case.kernel.symbol}: {count} of {got.size} differ"
    rest = outputs[len(good) :]
    for clean, wrong in zip(rest[::2], rest[1::2], strict=True):
        assert (clean != wrong).any()


@pytest.mark.slow
@pytest.mark.parametrize("isa", ISAS)
def test_many_random_shift_convolutions_are_exact(tmp_path, isa):
    assert_exact(cases(isa, 11, 40), isa, tmp_path)
