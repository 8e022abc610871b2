from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kernel_cases import conv_shape
from kernel_harness import Case, run_cases
from shift_cases import powers, random_shape, shift_case, shifted, without_clamp
from tinsmith_backends.cpu.kernels.base import ConvShape, Isa
from tinsmith_backends.cpu.kernels.manifest import choose
from tinsmith_backends.cpu.kernels.shift_codes import encode

ISAS: list[Isa] = ["scalar", "avx2", "neon", "neondot", "neon32", "simd128", "dsp"]

SHAPES = [
    conv_shape((9, 7, 16), 32, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((7, 9, 5), 21, (3, 2), (2, 1), (0, 1, 1, 0), (1, 2)),
    conv_shape((1, 1, 77), 10),
    conv_shape((5, 6, 21), 21, (3, 3), (1, 1), (1, 1, 1, 1), group=21),
    conv_shape((1, 3, 640), 33),
]
MORE_SHAPES = [
    conv_shape((6, 6, 12), 20, (2, 2), (1, 2), (1, 0, 0, 1), group=4),
    conv_shape((7, 6, 16), 32, (1, 1), (2, 2)),
    conv_shape((4, 5, 64), 64, (1, 1), group=2),
    conv_shape((11, 12, 40), 24, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((1, 2, 1000), 7),
]


def cases(isa: Isa, shapes: list[ConvShape], seed: int) -> list[Case]:
    """Each shape with random and extreme values, some with packed bits at the end."""
    rng = np.random.default_rng(seed)
    found = []
    for i, geometry in enumerate(shapes):
        shape = shifted(replace(geometry, wide=geometry.wide != bool(i % 2)), 2 + i % 3)
        found += [shift_case(shape, isa, rng, extreme=extreme) for extreme in (False, True)]
        if i % 3 == 1:
            found.append(shift_case(replace(shape, wide=False, packed=True), isa, rng))
    return found


def flipped_codes(isa: Isa, bits: int) -> list[Case]:
    """A case, and the same with one bit of a code flipped."""
    shape = shifted(conv_shape((1, 4, 8), 32, wide=True), bits)
    case = without_clamp(shift_case(shape, isa, np.random.default_rng(5), extreme=True))
    data = bytearray(case.pointers["w"])
    data[17] ^= 8
    return [case, replace(case, pointers={**case.pointers, "w": bytes(data)})]


def check(isa: Isa, good: list[Case], bits: int, folder: Path) -> None:
    """Every case is exact, and a flipped bit of a code of `bits` bits shows."""
    outputs = run_cases([*good, *flipped_codes(isa, bits)], isa, folder)
    for case, got in zip(good, outputs, strict=False):
        count = int((got != case.expected).sum())
        assert count == 0, f"{case.kernel.symbol}: {count} of {got.size} differ"
    assert (outputs[-2] != outputs[-1]).any()


@pytest.mark.parametrize("isa", ISAS)
def test_shift_convolutions_are_exact_and_flipped_bits_are_noticed(tmp_path, isa):
    """One program for all, because code generation starts slowly."""
    check(isa, cases(isa, SHAPES, 3), 3, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("isa", ISAS)
def test_many_random_shift_convolutions_are_exact(tmp_path, isa):
    rng = np.random.default_rng(11)
    shapes = [*SHAPES, *MORE_SHAPES, *(random_shape(rng) for _ in range(12))]
    for turn in range(3):  # every shape with every width of codes
        check(isa, cases(isa, shapes[turn:], turn), 2 + turn, tmp_path)


def test_codes_take_their_bits_and_no_more():
    """Of a layer whose channels fill vectors; 5 % are left for filling."""
    for isa in ISAS:
        for bits in (2, 3, 4):
            for geometry in (conv_shape((14, 14, 64), 64, (3, 3)), conv_shape((7, 7, 512), 512)):
                rng = np.random.default_rng(1)
                shape = shifted(geometry, bits)
                weight = powers(rng, shape, extreme=False)
                zeros = np.zeros(shape.cout, np.int32)
                packed = choose("shiftconv", shape, isa).pack(weight, zeros, zeros, 0)
                assert len(packed.weight) <= 1.05 * weight.size * bits / 8


def test_a_weight_that_is_no_power_of_two_of_its_width_is_refused():
    for wrong in (0, 3, -16):
        with pytest.raises(ValueError, match="no power of two"):
            encode(np.array([1, wrong]), 3)


def test_chunks_hold_the_largest_sum_of_products_in_int16():
    """31 products of 128 and 8, and 127 of 128 and 2; a turn has two."""
    shapes = (shifted(conv_shape((1, 1, 512), 8), bits) for bits in (2, 3))
    assert [choose("shiftconv", shape, "neon").chunk for shape in shapes] == [63, 15]
