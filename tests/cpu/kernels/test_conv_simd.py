from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kernel_cases import conv_shape, weighted
from kernel_harness import Case, assert_exact, run_cases
from tinsmith_backends.cpu.kernels.base import ConvShape, Isa, Kernel
from tinsmith_backends.cpu.kernels.conv_tiles import Tile
from tinsmith_backends.cpu.kernels.manifest import choose

ISAS: list[Isa] = ["avx2", "neon", "neondot", "neon32", "simd128"]

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
    shapes = [*SHAPES, *(random_shape(rng) for _ in range(extra))]
    shapes = [replace(s, wide=not s.wide if i % 2 else s.wide) for i, s in enumerate(shapes)]
    return [weighted("conv", s, isa, rng, extreme=i % 3 == 0) for i, s in enumerate(shapes)]


def differences(case: Case, got: np.ndarray) -> str:
    """Empty when every byte is as expected."""
    count = int((got != case.expected).sum())
    return f"{case.kernel.symbol}: {count} of {got.size} differ" if count else ""


def with_tile(tile: Tile) -> Callable[[str, Any, Isa], Kernel]:
    """Chooses as usual, but with this register tile."""

    def pick(kind: str, shape: Any, isa: Isa) -> Kernel:
        kernel = choose(kind, shape, isa)
        kernel.__dict__["tile"] = tile
        return kernel

    return pick


def every_tile(isa: Isa) -> list[Case]:
    """One block and a tail of channels, one pixel more than whole tiles, for each register tile."""
    rng = np.random.default_rng(4)
    found = []
    for i, tile in enumerate(choose("conv", SHAPES[0], isa).tiles):
        shape = conv_shape((1, 2 * tile.rows + 1, 9), tile.columns + 3, (1, 3), (1, 1), (0, 1, 0, 1), wide=bool(i % 2))
        found.append(weighted("conv", shape, isa, rng, extreme=i % 3 == 0, pick=with_tile(tile)))
    return found


def flipped_bits(isa: Isa) -> list[Case]:
    """A case, and the same with one bit of a weight, a bias or a multiplier flipped. Nothing hides behind a clamp."""
    case = weighted("conv", conv_shape((1, 4, 16), 16, wide=True), isa, np.random.default_rng(5))
    case = replace(case, scalars=(*case.scalars[:2], 0, -128, 127))
    spoiled = [case]
    for name, place, bit in (("w", 37, 64), ("w", 200, 32), ("bias", 3 * 4 + 2, 16), ("multiplier", 5 * 4 + 3, 32)):
        data = bytearray(case.pointers[name])
        data[place] ^= bit
        spoiled.append(replace(case, pointers={**case.pointers, name: bytes(data)}))
    return spoiled


@pytest.mark.parametrize("isa", ISAS)
def test_convolutions_are_exact_and_flipped_bits_are_noticed(tmp_path, isa):
    """One program for all, because code generation starts slowly."""
    good, spoiled = [*cases(isa, 3, 10), *every_tile(isa)], flipped_bits(isa)
    outputs = run_cases([*good, *spoiled], isa, tmp_path)
    wrong = [differences(case, got) for case, got in zip(good, outputs, strict=False)]
    assert not any(wrong), "\n".join(filter(None, wrong))
    clean, *others = outputs[len(good) :]
    for got in others:
        assert (got != clean).any()


@pytest.mark.slow
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("seed", [11, 12])
def test_many_random_convolutions_are_exact(tmp_path, isa, seed):
    assert_exact(cases(isa, seed, 100), isa, tmp_path)


def test_a_matrix_product_needs_no_scratch_on_arm():
    shape = conv_shape((1, 8, 64), 32)
    assert [choose("matmul", shape, isa).scratch_bytes for isa in ("neon", "neondot")] == [0, 0]


def test_the_tile_rule_wastes_no_pixels_and_no_channels():
    """A single pixel gets a tile of one row; few channels do not get a wide tile."""
    for isa in ISAS:
        assert choose("conv", conv_shape((1, 1, 64), 10), isa).tile.rows == 1
        narrow, broad = (choose("conv", conv_shape((16, 16, 64), n), isa).tile.columns for n in (4, 64))
        assert narrow <= broad
        assert narrow <= 8
