import numpy as np
import pytest
from kernel_cases import add, average, conv_shape, maxpool, pool_shape, requantization, weighted, with_wide
from kernel_harness import Case, assert_exact, flipped
from tinsmith_backends.cpu.kernels.base import ElementShape, Isa

# With and without dot product these kernels differ in name alone.
SIMD = ["avx2", "neon", "neon32", "simd128", pytest.param("neondot", marks=pytest.mark.slow)]

DEPTHWISE = [
    conv_shape((5, 5, 21), 21, (3, 3), (1, 1), (1, 1, 1, 1), group=21),
    conv_shape((6, 13, 64), 64, (3, 3), (1, 1), (1, 1, 1, 1), group=64),
    conv_shape((9, 13, 40), 40, (3, 3), (2, 2), (0, 0, 1, 1), group=40),
    conv_shape((6, 9, 6), 6, (3, 5), (2, 1), (2, 4, 1, 0), (2, 2), group=6),
    conv_shape((3, 3, 1), 1, (1, 1), group=1),
    conv_shape((9, 12, 3), 3, (9, 9), (1, 1), (4, 4, 4, 4), group=3),
    conv_shape((1, 2, 32), 32, (3, 3), (1, 1), (1, 1, 1, 1), group=32),
]
POOL = [
    pool_shape((6, 6, 70), (2, 2), (2, 2)),
    pool_shape((5, 7, 3), (3, 3), (2, 1), (1, 1, 1, 1)),
    pool_shape((8, 8, 64), (8, 8)),
    pool_shape((4, 4, 9), (3, 3), (3, 3), (2, 2, 2, 2)),
]
DILATED = pool_shape((9, 9, 20), (3, 2), (1, 1), (1, 0, 0, 1), (2, 3))
ELEMENTS = [
    ElementShape(n, c, per, wide) for n, c in ((7, 35), (2, 96)) for per in (False, True) for wide in (False, True)
]


@pytest.mark.parametrize("isa", SIMD)
def test_simd_kernels_without_sums_over_channels_are_exact(tmp_path, isa):
    rng = np.random.default_rng(3)
    cases = [weighted("depthwise", s, isa, rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(DEPTHWISE))]
    cases += [average(s, isa, rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(POOL))]
    cases += [maxpool(s, isa, rng) for s in [*POOL, DILATED]]
    cases += [requantization(s, isa, rng, in_place=p) for s in ELEMENTS for p in ("", "x")]
    cases += [add(s, isa, rng, extreme=i == 1, in_place=p) for i, s in enumerate(ELEMENTS[::4]) for p in ("", "a", "b")]
    assert not [case.kernel.name for case in cases if "scalar" in case.kernel.name]
    assert_exact(cases, isa, tmp_path, spoiled=spoiled_cases(isa))


def spoiled_cases(isa: Isa) -> list[Case]:
    rng = np.random.default_rng(4)
    narrow = ElementShape(3, 40, False, False)
    return [
        *flipped(weighted("depthwise", DEPTHWISE[0], isa, rng), ("x", "w", "bias", "multiplier")),
        *flipped(average(POOL[0], isa, rng), ("x", "multiplier")),
        *flipped(maxpool(POOL[0], isa, rng), ("x",)),
        *flipped(requantization(narrow, isa, rng), ("x", "multiplier")),
        *flipped(add(narrow, isa, rng), ("a", "b")),
    ]
