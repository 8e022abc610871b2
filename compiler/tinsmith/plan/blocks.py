"""What the memory planner places: blocks of bytes with a first and a last step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """`size` bytes that hold something from step `first` to step `last`, both included.

    `align` is the power of two that the offset must be a multiple of.
    """

    name: str
    size: int
    first: int
    last: int
    align: int = 1

    def meets(self, other: Block) -> bool:
        """Whether there is a step at which both are alive, so that they must not overlap in memory."""
        return self.first <= other.last and other.first <= self.last


def live_bytes(blocks: Iterable[Block]) -> dict[int, int]:
    """Bytes alive at each step at which a block begins; the sum changes upwards nowhere else."""
    blocks = tuple(blocks)
    return {step: sum(b.size for b in blocks if b.first <= step <= b.last) for step in {b.first for b in blocks}}


def lower_bound(blocks: Iterable[Block]) -> int:
    """The largest sum of blocks alive at one step: no placement can be smaller."""
    return max(live_bytes(blocks).values(), default=0)
