"""Where buffers stand in the activation memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from tinsmith.errors import TinsmithError
from tinsmith.plan.arena import Arena, lay_out
from tinsmith.plan.blocks import Block

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.operations import Software, Work, views

ALIGN = 4
"""Of buffers: the processor and the streams write words."""


@dataclass(frozen=True)
class Demand:
    """The most bytes that are alive at once, which any placement needs, and the layers during which so many are."""

    bytes: int
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Placement:
    """Where buffers stand, and why they need so much."""

    arena: Arena
    demand: Demand

    @property
    def lower_bound(self) -> int:
        """Bytes that any placement needs."""
        return self.demand.bytes


def place(work: Sequence[Work], inputs: Mapping[str, int], outputs: Mapping[str, int]) -> Placement:
    """Offsets of all buffers in the activation memory.

    Args:
        work: in order.
        inputs: bytes of the buffers that are filled before the first step, by name.
        outputs: bytes of those that are read after the last.
    """
    bytes_alive = alive(work, inputs, outputs)
    most = max(bytes_alive, default=0)
    layers = dict.fromkeys(each.layer for each, size in zip(work, bytes_alive, strict=True) if size == most)
    return Placement(lay_out(_blocks(work, inputs, outputs)), Demand(most, tuple(layers)))


def unplaced(work: Sequence[Work]) -> Placement:
    """All buffers at address 0: enough to count clocks."""
    return Placement(Arena({view.buffer: 0 for each in work for view in views(each)}, 0), Demand(0, ()))


def alive(work: Sequence[Work], inputs: Mapping[str, int], outputs: Mapping[str, int]) -> list[int]:
    """Bytes of the buffers that are alive at each step; the arguments of `place`."""
    changes = [0] * (len(work) + 2)
    for block in _blocks(work, inputs, outputs):
        changes[block.first] += block.size
        changes[block.last + 1] -= block.size
    return list(accumulate(changes))[: len(work)]


def _blocks(work: Sequence[Work], inputs: Mapping[str, int], outputs: Mapping[str, int]) -> list[Block]:
    first: dict[str, int] = dict.fromkeys(inputs, 0)
    last: dict[str, int] = dict.fromkeys(inputs, _visible(work, 0))
    sizes: dict[str, int] = dict(inputs) | dict(outputs)
    for number, each in enumerate(work):
        for view in views(each):
            first.setdefault(view.buffer, number)
            last[view.buffer] = _visible(work, number)
            sizes[view.buffer] = max(sizes.get(view.buffer, 0), view.end)
    last |= dict.fromkeys(outputs, len(work))
    rounded = {name: ceil(size / ALIGN) * ALIGN for name, size in sizes.items()}
    return [Block(name, size, first.get(name, 0), last[name], ALIGN) for name, size in rounded.items()]


def _visible(work: Sequence[Work], number: int) -> int:
    """The last step before the accelerator's next: what is complete can be seen when that begins, not between steps."""
    while number + 1 < len(work) and isinstance(work[number + 1], Software):
        number += 1
    return number


def check_size(placed: Placement, chip: Chip) -> None:
    """Raises `TinsmithError` where the buffers exceed the activation memory."""
    size = placed.arena.size
    if size > chip.act_bytes:
        peak = next(iter(placed.demand.layers), "")
        what = f"the activations need {size} bytes, and the chip has {chip.act_bytes}"
        why = f"most of them ({placed.lower_bound} bytes) are alive during {peak}, in stripes too"
        fix = f"--set act_bytes={1 << (size - 1).bit_length()}, or smaller images"
        raise TinsmithError(what, where=peak, why=why, fix=fix)
