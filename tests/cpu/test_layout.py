from __future__ import annotations

import numpy as np
import pytest
from tinsmith_backends.cpu.bit_layout import JointLoops, Way, addresses, joint_loops, moves
from tinsmith_backends.cpu.layout import Order, axes_of, inverse, loops, nhwc, reorderable, row_major, transposed
from tinsmith_backends.cpu.program import Move, Moves


def _order(rng: np.random.Generator, shape: tuple[int, ...]) -> Order:
    return transposed(shape, tuple(int(a) for a in rng.permutation(len(shape))))


def _places(loops: JointLoops, steps: int) -> Order:
    """Addresses that one side of a nest counts through; `steps` is 1 for the source, 2 for the target."""
    places = np.zeros(1, np.int64)
    for loop in loops:
        places = (places[:, None] + loop[steps] * np.arange(loop[0])).ravel()
    return places


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 7, 1, 1), (2, 3), (1, 2, 3, 2, 2), (1,), (1, 40, 2, 3)])
@pytest.mark.parametrize(("row", "new_row"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_moving_between_two_orders_of_axes(shape: tuple[int, ...], row: int, new_row: int) -> None:
    """Bytes or bits, each packed in rows of the length of the innermost axis, or of a part of it."""
    rng = np.random.default_rng(1)
    count = int(np.prod(shape))
    for _ in range(10):
        source, target = _order(rng, shape), _order(rng, shape)
        rows = [r * int(rng.choice([n for n in range(1, count + 1) if count % n == 0])) for r in (row, new_row)]
        old, new = (addresses(count, r) for r in rows)
        loops = joint_loops(old[inverse(source)[target]], new)
        if loops is None:  # rows that cut across the axes: by way of ONNX order
            continue
        memory = np.full(int(old[-1]) + 1, -1)
        memory[old] = source
        copy = np.full(int(new[-1]) + 1, -1)
        copy[_places(loops, 2)] = memory[_places(loops, 1)]
        assert np.array_equal(copy[new], target)


def test_bits_move_word_by_word_where_they_can() -> None:
    def ways(row: int, new_row: int, count: int, begin: int = 0) -> Way:
        return Way(addresses(count, row), row, begin + addresses(count, new_row), new_row)

    whole = moves([ways(64, 64, 640)])
    assert whole == Moves((Move(0, ((20, 1, 1),)),))
    assert moves([ways(40, 40, 400)]) == Moves((Move(0, ((10, 2, 2), (2, 1, 1))),)), "rows with unused bits"
    assert moves([ways(64, 64, 128, 64)]) == Moves((Move(0, ((4, 1, 1),), 2),))
    single = moves([ways(64, 64, 128, 5)])
    assert single is not None
    assert single.target_bits
    assert single.moves[0].source_bits
    unpacked = moves([ways(40, 0, 80)])
    assert unpacked == Moves((Move(0, ((2, 64, 40), (40, 1, 1)), 0, source_bits=True),))
    assert moves([ways(0, 0, 80)]) == Moves((Move(0, ((80, 1, 1),)),))


def test_loops_are_as_few_as_possible() -> None:
    assert loops(nhwc((1, 3, 4, 5))) == ((20, 1), (3, 20))
    assert loops(row_major((1, 3, 4, 5))) == ((60, 1),)
    assert loops(nhwc((1, 3, 1, 1))) == ((3, 1),)


def test_no_loop_nest_counts_a_shuffle() -> None:
    shuffle = np.array([0, 5, 1, 4, 2, 3])
    assert loops(shuffle) is None
    assert not reorderable(shuffle)
    assert joint_loops(shuffle, row_major((6,))) is None


def test_axes_are_named_as_a_reader_expects() -> None:
    assert axes_of(nhwc((1, 3, 4, 5)), (1, 3, 4, 5)) == (0, 2, 3, 1)
    assert axes_of(row_major((1, 9)), (1, 9)) == (0, 1)
    assert axes_of(nhwc((1, 8, 1, 1)), (1, 8, 1, 1)) == (0, 2, 3, 1)
    assert axes_of(nhwc((1, 3, 4, 5)), (1, 60)) is None


def test_inverse() -> None:
    order = nhwc((1, 2, 3, 4))
    assert np.array_equal(order[inverse(order)], np.arange(24))
