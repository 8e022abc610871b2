from dataclasses import replace

import numpy as np
from kernel_cases import add, average, conv_shape, maxpool, pool_shape, requantization, weighted, with_wide
from kernel_harness import assert_exact, flipped
from tinsmith_backends.cpu.kernels.base import ElementShape
from tinsmith_backends.cpu.kernels.conv_dsp import ConvDsp

CONV = [
    conv_shape((5, 6, 3), 5, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((5, 5, 16), 16, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((7, 7, 4), 8, (3, 2), (2, 2), (0, 1, 1, 0), (1, 2)),
    conv_shape((4, 3, 6), 4, (2, 2), (1, 1), (1, 0, 0, 1), group=2),
    conv_shape((4, 3, 16), 10, (2, 2), (1, 1), (1, 0, 0, 1), group=2),
    conv_shape((6, 5, 3), 6, (3, 3), (1, 1), (2, 2, 2, 2), (2, 2), group=3),
    conv_shape((7, 6, 7), 3, (5, 5), (1, 1), (2, 2, 2, 2)),
    conv_shape((11, 6, 1), 8, (10, 4), (2, 2), (4, 1, 5, 1)),
]
ROWS = [conv_shape((1, 1, 64), 10), conv_shape((1, 7, 37), 9), conv_shape((1, 5, 8), 1)]
IN_PLACE = [conv_shape((5, 5, 20), 20), conv_shape((3, 3, 8), 5)]
DEPTHWISE = [
    conv_shape((5, 5, 21), 21, (3, 3), (1, 1), (1, 1, 1, 1), group=21),
    conv_shape((9, 7, 8), 8, (3, 3), (2, 2), (0, 0, 1, 1), group=8),
    conv_shape((6, 9, 6), 6, (3, 5), (2, 1), (2, 4, 1, 0), (2, 2), group=6),
    conv_shape((8, 8, 4), 4, (7, 7), (1, 1), (3, 3, 3, 3), group=4),
    conv_shape((4, 4, 3), 3, (3, 3), (1, 1), (1, 1, 1, 1), group=3),
]
POOL = [
    pool_shape((6, 6, 14), (2, 2), (2, 2)),
    pool_shape((5, 7, 3), (3, 3), (2, 1), (1, 1, 1, 1)),
    pool_shape((16, 16, 8), (16, 16)),
    pool_shape((17, 17, 4), (17, 17)),
    pool_shape((4, 4, 9), (3, 3), (3, 3), (2, 2, 2, 2)),
]
ELEMENTS = [ElementShape(7, 5, per, wide) for per in (False, True) for wide in (False, True)]


def test_convolutions_are_exact(tmp_path):
    rng = np.random.default_rng(5)
    cases = [weighted("conv", s, "dsp", rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(CONV))]
    cases += [weighted("matmul", s, "dsp", rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(ROWS))]
    cases += [weighted("depthwise", s, "dsp", rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(DEPTHWISE))]
    for shape in with_wide(IN_PLACE):
        case = weighted("conv", shape, "dsp", rng)
        assert case.kernel.in_place == (0,)
        cases += [case, replace(case, in_place="x")]
    spoiled = flipped(weighted("conv", CONV[1], "dsp", rng), ("x", "w", "bias", "multiplier"))
    assert_exact(cases, "dsp", tmp_path, spoiled=spoiled)


def test_pools_and_elementwise_kernels_are_exact(tmp_path):
    rng = np.random.default_rng(6)
    cases = [average(s, "dsp", rng, extreme=i % 3 == 0) for i, s in enumerate(with_wide(POOL))]
    cases += [maxpool(s, "dsp", rng) for s in POOL]
    cases += [maxpool(pool_shape((9, 9, 4), (3, 2), (1, 1), (1, 0, 0, 1), (2, 3)), "dsp", rng)]
    cases += [requantization(s, "dsp", rng, in_place=p) for s in ELEMENTS for p in ("", "x")]
    cases += [add(ELEMENTS[0], "dsp", rng, extreme=e, in_place=p) for p in ("", "a", "b") for e in (False, True)]
    assert_exact(cases, "dsp", tmp_path)


def test_only_convolutions_that_never_read_what_they_wrote_run_in_place():
    same = conv_shape((4, 4, 8), 8)
    assert ConvDsp(same, "dsp").in_place == (0,)
    wider = conv_shape((4, 4, 8), 9)
    strided = conv_shape((4, 4, 8), 8, (1, 1), (2, 2))
    grouped = conv_shape((4, 4, 8), 8, group=2)
    window = conv_shape((4, 4, 8), 8, (3, 3), (1, 1), (1, 1, 1, 1))
    assert not [s for s in (wider, strided, grouped, window) if ConvDsp(s, "dsp").in_place]


def test_scratch_of_a_3x3x16_window_is_what_two_pixels_take():
    assert ConvDsp(conv_shape((32, 32, 16), 16, (3, 3), (1, 1), (1, 1, 1, 1)), "dsp").scratch_bytes == 576
