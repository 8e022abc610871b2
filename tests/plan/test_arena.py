from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith.plan.arena import lay_out
from tinsmith.plan.blocks import Block, lower_bound


@st.composite
def _blocks(draw: st.DrawFn) -> list[Block]:
    count = draw(st.integers(1, 14))
    blocks = []
    for i in range(count):
        first = draw(st.integers(0, 12))
        last = first + draw(st.integers(0, 6))
        blocks.append(Block(f"b{i}", draw(st.integers(0, 500)), first, last, draw(st.sampled_from([1, 16]))))
    return blocks


@settings(max_examples=150)
@given(_blocks())
def test_no_two_live_blocks_overlap(blocks: list[Block]) -> None:
    arena = lay_out(blocks)
    placed = [b for b in blocks if b.size]
    assert arena.offsets.keys() == {b.name for b in placed}
    for block in placed:
        assert arena.offsets[block.name] % block.align == 0
        assert 0 <= arena.offsets[block.name] <= arena.size - block.size
        for other in placed:
            if other is not block and block.meets(other):
                low, high = sorted((block, other), key=lambda b: arena.offsets[b.name])
                assert arena.offsets[low.name] + low.size <= arena.offsets[high.name]
    assert arena.size >= lower_bound(blocks)
    assert arena == lay_out(blocks)


def test_a_chain_needs_its_two_largest_neighbours() -> None:
    sizes = [490, 8000, 8000, 8000, 8000, 64, 12]
    chain = [Block(f"t{i}", size, i, i + 1) for i, size in enumerate(sizes)]
    assert lay_out(chain).size == lower_bound(chain) == 16000


def test_skip_connections_reach_the_lower_bound() -> None:
    """Blocks of ResNet8: each second tensor also lives across the two convolutions beside it."""
    blocks = [
        Block("x", 3072, 0, 0),
        Block("stem", 16384, 0, 3),
        Block("a", 16384, 1, 2),
        Block("b", 16384, 2, 3),
        Block("sum", 16384, 3, 6),
        Block("c", 8192, 4, 5),
        Block("d", 8192, 5, 7),
        Block("e", 8192, 6, 7),
    ]
    assert lay_out(blocks).size == lower_bound(blocks) == 49152


def test_a_better_order_is_found_where_largest_first_fails() -> None:
    """Largest first leaves holes here: 10 + 9 are placed apart, and the long-lived 6 then fits only on top."""
    blocks = [
        Block("a", 10, 0, 1),
        Block("b", 9, 2, 3),
        Block("c", 6, 0, 3),
        Block("d", 7, 1, 2),
    ]
    assert lay_out(blocks).size == lower_bound(blocks) == 23


def test_lower_bound_is_the_largest_sum_alive() -> None:
    assert lower_bound([Block("a", 5, 0, 2), Block("b", 7, 2, 4), Block("c", 6, 3, 3)]) == 13
    assert lower_bound([]) == 0
    assert lay_out([]).size == 0
