import numpy as np
import pytest
from kernel_cases import conv_shape, weighted, with_wide
from kernel_harness import Case, assert_exact
from tinsmith_backends.cpu.kernels.base import ConvShape, Isa

ISAS: list[Isa] = ["avx2", "neon", "neondot", "simd128"]

SHAPES = [
    conv_shape((9, 7, 16), 32, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((8, 8, 3), 16, (3, 3), (1, 1), (1, 1, 1, 1)),
    conv_shape((7, 9, 5), 21, (3, 2), (2, 1), (0, 1, 1, 0), (1, 2)),
    conv_shape((6, 6, 12), 20, (2, 2), (1, 2), (1, 0, 0, 1), group=4),
    conv_shape((6, 5, 32), 7, (1, 1)),
    conv_shape((7, 6, 16), 32, (1, 1), (2, 2)),
    conv_shape((4, 5, 64), 64, (1, 1), group=2),
    conv_shape((1, 1, 77), 10),
    conv_shape((1, 3, 640), 128),
    conv_shape((11, 11, 1), 8, (5, 5), (3, 3), (2, 2, 2, 2), (1, 1)),
    conv_shape((5, 5, 2), 3, (3, 3), (1, 1), (4, 4, 4, 4), (2, 3)),
    conv_shape((49, 10, 1), 64, (10, 4), (2, 2), (4, 1, 5, 1)),
]


def random_shape(rng: np.random.Generator) -> ConvShape:
    """A valid geometry, biased towards edges: channel tails, windows larger than the image, one pixel."""
    while True:
        group = int(rng.choice([1, 1, 1, 2, 3]))
        kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        shape = conv_shape(
            (int(rng.integers(1, 10)), int(rng.integers(1, 10)), group * int(rng.choice([1, 2, 3, 4, 8, 13, 16, 24]))),
            group * int(rng.integers(1, 40)),
            kernel,
            (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
            tuple(int(p) for p in rng.integers(0, 4, 4)),
            (int(rng.integers(1, 3)), int(rng.integers(1, 3))),
            group,
            bool(rng.integers(2)),
        )
        if shape.ho > 0 and shape.wo > 0:
            return shape


def cases(isa: Isa, seed: int, extra: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    shapes = with_wide(SHAPES) + [random_shape(rng) for _ in range(extra)]
    return [weighted("conv", s, isa, rng, extreme=i % 3 == 0) for i, s in enumerate(shapes)]


@pytest.mark.parametrize("isa", ISAS)
def test_convolution_is_exact(tmp_path, isa):
    assert_exact(cases(isa, 3, 12), isa, tmp_path)
