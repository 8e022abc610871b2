"""Where the elements of a packed tensor stand, and how to move between two layouts of which one or both are packed.

A tensor of 1 bit is stored in rows of `row` bits, each in whole words (kernels/bits.py). An address counts bits from
the start of the buffer, the unused ones at the ends of rows too; where `row` is 0, elements are bytes and count one
each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.layout import Order, loops
from tinsmith_backends.cpu.program import Move, Moves

JointLoops = tuple[tuple[int, int, int], ...]
"""A loop nest over two addresses, outermost first: (how often, source step, target step)."""


def addresses(count: int, row: int) -> Order:
    """Address of each of `count` stored elements."""
    index = np.arange(count, dtype=np.int64)
    return index if not row else index // row * (WORD * words(row)) + index % row


def word_count(count: int, row: int) -> int:
    """Words that `count` packed elements take."""
    return count // row * words(row)


@dataclass(frozen=True)
class Way:
    """Elements that move: addresses that they have and get, one by one, and the rows of the two tensors."""

    source: Order
    source_row: int
    target: Order
    target_row: int


def moves(ways: Sequence[Way]) -> Moves | None:
    """The step that moves elements of its inputs, one way an input; None if there are no loop nests for it."""
    nests = [joint_loops(way.source, way.target) for way in ways]
    offsets = [int(way.target[0]) for way in ways]
    found = [nest for nest in nests if nest is not None]
    if len(found) < len(ways):
        return None
    words = [_in_words(nest, way) for nest, way in zip(found, ways, strict=True)]
    whole = [nest for nest in words if nest is not None]
    if len(whole) == len(ways):
        return Moves(tuple(Move(i, nest, offsets[i] // WORD) for i, nest in enumerate(whole)))
    single = tuple(Move(i, nest, offsets[i], bool(ways[i].source_row)) for i, nest in enumerate(found))
    return Moves(single, target_bits=any(way.target_row for way in ways))


def joint_loops(source: Order, target: Order) -> JointLoops | None:
    """The loop nest that counts through both address vectors at once, the source's from 0 on."""
    if source[0] != 0:
        return None
    reach = int(np.ptp(target))
    unit = 2 * reach + 1
    found = loops(source * unit + (target - target[0]))
    if found is None:
        return None
    both = [(count, (step + reach) % unit - reach, step) for count, step in found]
    return tuple((count, (step - down) // unit, down) for count, down, step in both) or ((1, 1, 1),)


def _in_words(nest: JointLoops, way: Way) -> JointLoops | None:
    """The same copy word by word, if it moves whole words of bits.

    A row of any length is whole words where it becomes the end of a row: the bits behind it are 0 on both sides.
    """
    if not way.source_row or not way.target_row:
        return None
    *outer, (count, down, across) = nest
    first = int(way.target[0])
    ends_row = count == way.source_row and first % (WORD * words(way.target_row)) + count == way.target_row
    steps = [step for _, *pair in outer for step in pair]
    aligned = all(place % WORD == 0 for place in [*steps, first])
    if not (down == across == 1 and aligned and (count % WORD == 0 or ends_row)):
        return None
    return (*((n, a // WORD, b // WORD) for n, a, b in outer), (words(count), 1, 1))
