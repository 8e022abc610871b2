"""Offsets of blocks in one arena: best fit, tried in several orders, improved where it is above the lower bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tinsmith.plan.blocks import Block, lower_bound

ROUNDS = 200
"""How often a placement above the lower bound is tried again; each round is cheap (blocks squared)."""


@dataclass(frozen=True)
class Arena:
    """Where each block stands, in bytes from the start, and how many bytes that takes in all."""

    offsets: Mapping[str, int]
    size: int


def lay_out(blocks: Sequence[Block]) -> Arena:
    """Place blocks so that no two that live at the same step overlap; deterministic.

    Offline best fit depends on the order in which blocks are placed, and no order is best for all graphs: largest
    first is right for chains, longest-lived first for skip connections. All are tried and the smallest result kept;
    while it is above the lower bound, the block that stands highest is placed earlier and the fit repeated.
    """
    blocks = [b for b in blocks if b.size > 0]
    bound = lower_bound(blocks)
    best: Arena | None = None
    for key in _ORDERS:
        arena = _improve(sorted(blocks, key=key), bound)
        if best is None or arena.size < best.size:
            best = arena
        if best.size == bound:
            break
    return best if best is not None else Arena({}, 0)


_ORDERS: tuple[Callable[[Block], tuple[int | str, ...]], ...] = (
    lambda b: (-b.size, b.first, b.name),
    lambda b: (b.first - b.last, -b.size, b.name),
    lambda b: (-b.size * (b.last - b.first + 1), b.first, b.name),
    lambda b: (b.first, -b.size, b.name),
)


def _improve(order: list[Block], bound: int) -> Arena:
    """Fit in this order; then move whichever block sticks out to the front, as long as rounds last."""
    best = _fit(order)
    seen = {tuple(b.name for b in order)}
    for _ in range(ROUNDS):
        if best.size == bound:
            break
        arena = _fit(order)
        if arena.size < best.size:
            best = arena
        top = max(order, key=lambda b: (arena.offsets[b.name] + b.size, b.name))
        order = [top, *(b for b in order if b is not top)]
        names = tuple(b.name for b in order)
        if names in seen:
            break
        seen.add(names)
    return best


def _fit(order: Sequence[Block]) -> Arena:
    """Place one block after the other into the smallest gap that holds it, or on top."""
    offsets: dict[str, int] = {}
    placed: list[Block] = []
    for block in order:
        taken = sorted((offsets[b.name], offsets[b.name] + b.size) for b in placed if b.meets(block))
        offsets[block.name] = _gap(taken, block)
        placed.append(block)
    return Arena(offsets, max((offsets[b.name] + b.size for b in order), default=0))


def _gap(taken: Sequence[tuple[int, int]], block: Block) -> int:
    """Offset of the tightest gap between taken ranges that holds the block; above all of them if there is none."""
    best_offset, best_waste = -1, -1
    end = 0
    for begin, stop in taken:
        offset = _align(end, block.align)
        waste = begin - offset - block.size
        if waste >= 0 and (best_offset < 0 or waste < best_waste):
            best_offset, best_waste = offset, waste
        end = max(end, stop)
    return best_offset if best_offset >= 0 else _align(end, block.align)


def _align(offset: int, align: int) -> int:
    return (offset + align - 1) // align * align
