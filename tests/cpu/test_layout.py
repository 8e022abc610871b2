from __future__ import annotations

import numpy as np
import pytest
from tinsmith_backends.cpu.layout import axes_of, inverse, loops, moves, nhwc, reorderable, row_major, transposed
from tinsmith_backends.cpu.program import nest


def _count(nest_of: tuple[tuple[int, int], ...]) -> list[int]:
    places = np.zeros(1, np.int64)
    for count, step in nest_of:
        places = (places[:, None] + step * np.arange(count)).ravel()
    return [int(p) for p in places]


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 7, 1, 1), (2, 3), (1, 2, 3, 2, 2), (1,)])
def test_moving_between_two_orders_of_axes(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(-128, 128, shape).astype(np.int8)
    for _ in range(10):
        source, target = (transposed(shape, tuple(int(a) for a in rng.permutation(len(shape)))) for _ in range(2))
        stored = values.ravel()[source]
        for counts in moves(source, target):
            copy = np.empty_like(stored)
            for index, place in enumerate(_count(counts)):
                copy[index] = stored[place]
            stored = copy
        assert np.array_equal(stored, values.ravel()[target])


def test_a_nest_writes_front_to_back() -> None:
    assert nest(((2, 1), (3, 2))) == ((2, 1, 3), (3, 2, 1))


def test_loops_are_as_few_as_possible() -> None:
    assert loops(nhwc((1, 3, 4, 5))) == ((20, 1), (3, 20))
    assert loops(row_major((1, 3, 4, 5))) == ((60, 1),)
    assert loops(nhwc((1, 3, 1, 1))) == ((3, 1),)


def test_no_loop_nest_counts_a_shuffle() -> None:
    shuffle = np.array([0, 5, 1, 4, 2, 3])
    assert loops(shuffle) is None
    assert not reorderable(shuffle)
    with pytest.raises(ValueError, match="loop nest"):
        moves(shuffle, row_major((6,)))


def test_factors_that_do_not_divide_go_through_onnx_order() -> None:
    """(4, 3) transposed, read as (2, 6) and transposed again mixes factors 4·3 and 2·6."""
    source = transposed((4, 3), (1, 0))
    target = transposed((2, 6), (1, 0))
    values = np.arange(12)
    stored = values[source]
    for counts in moves(source, target):
        stored = stored[_count(counts)]
    assert np.array_equal(stored, values[target])


def test_axes_are_named_as_a_reader_expects() -> None:
    assert axes_of(nhwc((1, 3, 4, 5)), (1, 3, 4, 5)) == (0, 2, 3, 1)
    assert axes_of(row_major((1, 9)), (1, 9)) == (0, 1)
    assert axes_of(nhwc((1, 8, 1, 1)), (1, 8, 1, 1)) == (0, 2, 3, 1)
    assert axes_of(nhwc((1, 3, 4, 5)), (1, 60)) is None


def test_inverse() -> None:
    order = nhwc((1, 2, 3, 4))
    assert np.array_equal(order[inverse(order)], np.arange(24))
