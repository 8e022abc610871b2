"""A region of the work, stripe by stripe, so that tensors that it alone knows are never whole.

A stripe makes an equal share of each tensor that others know. From there backwards, every operation makes the lines of
its output that those behind it need, be they one or several, added or joined. Tensors inside stand in a buffer a
stripe, and lines that two stripes need are made twice; tensors that others know stand whole, and are made once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tinsmith_backends.soc.operations import Operation, View, reads, views
from tinsmith_backends.soc.slices import NOTHING, Span, count, covering, part

Parts = Mapping[int, Operation]
"""What a stripe has of operations, by their numbers."""


def striped(region: Sequence[Operation], known: Collection[str], stripes: int) -> Iterator[list[Operation]]:
    """Operations that follow one another, stripe by stripe; `known` are the buffers that others know."""
    done = [0] * len(region)
    counted: set[int] = set()
    for number in range(stripes):
        parts = _stripe(region, known, done, Fraction(number + 1, stripes))
        own = _in_own_buffers(parts, known, number)
        yield [own[at] if at not in counted else replace(own[at], macs=0) for at in sorted(own)]
        counted |= set(own)


def _stripe(region: Sequence[Operation], known: Collection[str], done: list[int], share: Fraction) -> Parts:
    """What must be made until of all known tensors a share is there; of those, `done` is how many lines are there."""
    parts: dict[int, Operation] = {}
    needed: dict[str, Span] = {}
    for at in reversed(range(len(region))):
        each = region[at]
        lines = covering(each, needed.get(each.output.buffer, NOTHING))
        if each.output.buffer in known:
            lines = done[at], max(done[at], lines[1], int(share * count(each)))
            done[at] = lines[1]
        if lines[0] < lines[1]:
            parts[at] = part(each, lines)
            for view in reads(parts[at]):
                first, behind = needed.get(view.buffer, (view.offset, view.end))
                needed[view.buffer] = min(first, view.offset), max(behind, view.end)
    return parts


def _in_own_buffers(parts: Parts, known: Collection[str], number: int) -> Parts:
    """The same with buffers of this stripe for tensors that nobody else knows; each begins with its first byte."""
    begin: dict[str, int] = {}
    for each in parts.values():
        for view in views(each):
            begin[view.buffer] = min(begin.get(view.buffer, view.offset), view.offset)

    def moved(view: View) -> View:
        if view.buffer in known:
            return view
        return replace(view, buffer=f"{view.buffer}, stripe {number}", offset=view.offset - begin[view.buffer])

    return {
        at: replace(each, input=moved(each.input), second=each.second and moved(each.second), output=moved(each.output))
        for at, each in parts.items()
    }
