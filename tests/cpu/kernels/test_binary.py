import numpy as np
import pytest
from binary_cases import Rng, binary, binary_shape, every_ending, random_shape
from kernel_harness import Case, assert_exact, flipped
from tinsmith_backends.cpu.kernels.base import Isa

ISAS: list[Isa] = ["scalar", "avx2", "neon", "neon32", "simd128", "dsp"]

SAME = (1, 1, 1, 1)
SHAPES = [
    binary_shape((1, 1, 1), 1),
    binary_shape((1, 5, 31), 33),
    binary_shape((4, 5, 32), 40, (3, 3), (1, 1), SAME, pad_value=0),
    binary_shape((5, 4, 40), 31, (3, 3), (2, 1), SAME, pad_value=-1),
    binary_shape((6, 7, 33), 64, (2, 3), (1, 2), (0, 1, 1, 0), (2, 1), pad_value=0),
    binary_shape((3, 3, 128), 32, (3, 3), (1, 1), SAME, pad_value=1),
    binary_shape((2, 3, 100), 5, (5, 5), (1, 1), (2, 2, 2, 2), pad_value=-1),
    binary_shape((1, 2, 4096), 60),
    binary_shape((1, 3, 1000), 12),
    binary_shape((5, 5, 256), 33, (3, 3), (1, 1), SAME, pad_value=0),
]


def extremes(isa: Isa, rng: Rng) -> list[Case]:
    """All products +1, all -1: counts of nothing and of everything, over windows that fill every counter."""
    shapes = [
        binary_shape((1, 3, 20_000), 8),
        binary_shape((3, 3, 256), 49, (3, 3), (1, 1), SAME, pad_value=0, packed=False),
    ]
    return [binary(s, isa, rng, x_same=x, w_same=w) for s in shapes for x, w in ((1, 1), (1, -1), (-1, -1), (-1, 1))]


@pytest.mark.parametrize("isa", ISAS)
def test_binary_convolutions_are_exact(tmp_path, isa):
    rng = np.random.default_rng(7)
    cases = [binary(every_ending(shape)[i % 3], isa, rng) for i, shape in enumerate(SHAPES)]
    bytes_ = every_ending(SHAPES[5])[1]
    spoiled = [
        *flipped(binary(SHAPES[2], isa, rng), ("x", "w", "bias")),
        *flipped(binary(bytes_, isa, rng, clamped=False), ("x", "w", "bias", "multiplier"), mask=1),
    ]
    assert_exact([*cases, *extremes(isa, rng)], isa, tmp_path, spoiled=spoiled)


@pytest.mark.slow
@pytest.mark.parametrize("isa", [*ISAS, "neondot"])
def test_random_binary_convolutions_are_exact(tmp_path, isa):
    rng = np.random.default_rng(8)
    assert_exact([binary(random_shape(rng), isa, rng) for _ in range(80)], isa, tmp_path)
