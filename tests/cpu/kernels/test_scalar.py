import numpy as np
import pytest
from kernel_cases import add, average, conv_shape, maxpool, pool_shape, requantization, weighted, with_wide
from kernel_harness import Case, assert_exact, flipped
from tinsmith_backends.cpu.kernels.base import ElementShape

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1"]
SANITIZED = [*STRICT, "-DEXACT_ALLOCATIONS", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

CONV = [
    conv_shape((5, 6, 3), 5, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((7, 7, 4), 8, (3, 2), (2, 2), (0, 1, 1, 0), (1, 2)),
    conv_shape((4, 3, 6), 4, (2, 2), (1, 1), (1, 0, 0, 1), group=2),
    conv_shape((1, 1, 64), 10),
    conv_shape((6, 5, 3), 6, (3, 3), (1, 1), (2, 2, 2, 2), (2, 2), group=3),
]
DEPTHWISE = [
    conv_shape((5, 5, 21), 21, (3, 3), (1, 1), (1, 1, 1, 1), group=21),
    conv_shape((6, 7, 4), 12, (3, 5), (2, 1), (2, 4, 1, 0), (2, 2), group=4),
    conv_shape((3, 3, 17), 17, (1, 1), group=17),
]
POOL = [
    pool_shape((6, 6, 21), (2, 2), (2, 2)),
    pool_shape((5, 7, 3), (3, 3), (2, 1), (1, 1, 1, 1)),
    pool_shape((8, 8, 64), (8, 8)),
]
ELEMENTS = [ElementShape(7, 5, per, wide) for per in (False, True) for wide in (False, True)]


def all_cases() -> list[Case]:
    rng = np.random.default_rng(1)
    cases = [weighted("conv", s, "scalar", rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(CONV))]
    cases += [weighted("depthwise", s, "scalar", rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(DEPTHWISE))]
    cases += [average(s, "scalar", rng, extreme=i % 2 == 0) for i, s in enumerate(with_wide(POOL))]
    cases += [maxpool(s, "scalar", rng) for s in POOL]
    cases += [maxpool(pool_shape((9, 9, 4), (3, 2), (1, 1), (1, 0, 0, 1), (2, 3)), "scalar", rng)]
    cases += [requantization(s, "scalar", rng, in_place=p) for s in ELEMENTS for p in ("", "x")]
    cases += [add(ELEMENTS[0], "scalar", rng, extreme=True, in_place=p) for p in ("", "a", "b")]
    return cases


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_scalar_kernels_are_exact_and_clean_under_sanitizers(tmp_path, compiler):
    cases = all_cases()
    # Small flips of the wide form: a wrong constant must not overflow either.
    spoiled = flipped(cases[1], ("x", "w", "bias", "multiplier"), mask=1)
    assert_exact(cases, "scalar", tmp_path, [compiler, *SANITIZED], spoiled)
