"""Random geometries for every kind on every instruction set; slow, because each geometry is a kernel of its own."""

import numpy as np
import pytest
from kernel_cases import Rng, add, average, conv_shape, maxpool, pool_shape, requantization, weighted
from kernel_harness import Case, assert_exact
from tinsmith_backends.cpu.kernels.base import ConvShape, ElementShape, Isa

ROUNDS = 25


def number(rng: Rng, low: int, high: int) -> int:
    return int(rng.integers(low, high, endpoint=True))


def random_conv(rng: Rng, *, depthwise: bool) -> ConvShape:
    """A geometry whose windows may reach far outside of the image, or miss rows of it."""
    while True:
        kernel, stride, dilation = [(number(rng, 1, n), number(rng, 1, n)) for n in (4, 3, 2)]
        pads = tuple(number(rng, 0, 3) for _ in range(4))
        group = number(rng, 1, 40) if depthwise else number(rng, 1, 2)
        cin = group if depthwise else group * number(rng, 1, 20)
        cout = group if depthwise else group * number(rng, 1, 20)
        image = (number(rng, 1, 9), number(rng, 1, 12), cin)
        shape = conv_shape(image, cout, kernel, stride, pads, dilation, group, bool(rng.integers(2)))
        if shape.ho >= 1 and shape.wo >= 1:
            return shape


def random_cases(isa: Isa, seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    cases = []
    for turn in range(ROUNDS):
        extreme = turn % 3 == 0
        cases.append(weighted("conv", random_conv(rng, depthwise=False), isa, rng, extreme=extreme))
        s = random_conv(rng, depthwise=True)
        cases.append(weighted("depthwise", s, isa, rng, extreme=extreme))
        geometry = ((s.h, s.w, s.cin), (s.kh, s.kw), (s.stride_h, s.stride_w), (s.top, s.left, s.top, s.left))
        pool = pool_shape(*geometry, wide=s.wide)
        if pool.ho >= 1 and pool.wo >= 1:
            cases += [average(pool, isa, rng, extreme=extreme), maxpool(pool, isa, rng)]
        elements = ElementShape(number(rng, 1, 9), number(rng, 1, 70), bool(rng.integers(2)), s.wide)
        cases += [requantization(elements, isa, rng, in_place=("", "x")[turn % 2]), add(elements, isa, rng)]
    return cases


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["scalar", "avx2", "neon", "neondot", "neon32", "simd128", "dsp"])
def test_every_kernel_is_exact_for_random_geometries(tmp_path, isa):
    assert_exact(random_cases(isa, 12), isa, tmp_path)
