"""Where activations exceed the memory: layers that follow one another work on stripes of rows.

One stripe goes through all of them and then the next, so that of the tensors between only stripes stand in the memory.

A stripe of the last layer's output needs some rows of its input, these some rows of the layer before, and so on; rows
that two stripes need are computed twice. Everything else is as for whole images: a descriptor with fewer rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.memory_map import OPCODE
from tinsmith_backends.soc.operations import Operation, View, Work
from tinsmith_backends.soc.placement import Demand, Placement, check_size, demand, place

STRIPES = (2, 3, 4, 6, 8, 12, 16, 24)
"""Into how many stripes an image is cut, at most as many as it has rows."""
Rows = tuple[int, int]
"""The first, and the one behind the last."""


def fit(
    work: Sequence[Work], inputs: Mapping[str, int], outputs: Mapping[str, int], chip: Chip
) -> tuple[Sequence[Work], Placement]:
    """Work that fits the activation memory, and its placement; see `placement.place`.

    Raises:
        TinsmithError: it does not fit, in stripes neither; with the layer and the number.
    """
    placed = place(work, inputs, outputs)
    while placed.arena.size > chip.act_bytes:
        best, better = _measure(placed.demand), None
        for made in _cut(work, placed.demand.layers, {*inputs, *outputs}):
            wanted = _measure(demand(made, inputs, outputs))
            if wanted < best:
                best, better = wanted, made
                if wanted[0] <= chip.act_bytes:
                    break
        if better is None:
            break
        work, placed = better, place(better, inputs, outputs)
    check_size(placed, chip)
    return work, placed


def _measure(wanted: Demand) -> tuple[int, int]:
    """What each cut makes smaller: the bytes, or else how many layers need so many."""
    return wanted.bytes, len(wanted.layers)


def _cut(work: Sequence[Work], peaks: Sequence[str], kept: set[str]) -> Iterator[Sequence[Work]]:
    """The work with one part of it in stripes, fewer and shorter ones first; one of the layers `peaks` is in it."""
    chains = list(_chains(work, kept))
    parts = [
        (first, last)
        for begin, end in chains
        for first in range(begin, end)
        for last in range(first + 1, end + 1)
        if any(each.layer in peaks for each in work[first : last + 1])
    ]
    for count in STRIPES:
        for first, last in sorted(parts, key=lambda part: part[1] - part[0]):
            made = _striped([each for each in work[first : last + 1] if isinstance(each, Operation)], count)
            if made is not None:
                yield [*work[:first], *made, *work[last + 1 :]]


def _chains(work: Sequence[Work], kept: set[str]) -> Iterator[tuple[int, int]]:
    """First and last of operations of which each alone reads what the one before alone has written."""
    read = Counter(view.buffer for each in work for view in (each.input, each.second) if view is not None)
    written = Counter(each.output.buffer for each in work)

    def follows(before: Work, after: Work) -> bool:
        name = before.output.buffer
        alone = read[name] == written[name] == 1 and name not in kept and before.output == after.input
        return alone and _rowwise(before) and _rowwise(after)

    begin = 0
    for at, (before, after) in enumerate(pairwise(work), start=1):
        if not follows(before, after):
            if at - 1 > begin:
                yield begin, at - 1
            begin = at
    if len(work) - 1 > begin:
        yield begin, len(work) - 1


def _rowwise(each: Work) -> bool:
    return isinstance(each, Operation) and each.opcode != OPCODE["ADD"]


def _striped(chain: Sequence[Operation], count: int) -> list[Operation] | None:
    """The chain, once for each stripe of its last output; None where an image has too few rows for that."""
    height = chain[-1].output.height
    if count > height:
        return None
    made: list[Operation] = []
    for number in range(count):
        rows = [(number * height // count, (number + 1) * height // count)]
        for each in reversed(chain[1:]):
            rows.insert(0, _needed(each, rows[0]))
        if any(first >= behind for first, behind in (*rows, _needed(chain[0], rows[0]))):
            return None
        made += _stripe(chain, rows, number)
    return made


def _stripe(chain: Sequence[Operation], rows: Sequence[Rows], number: int) -> Iterator[Operation]:
    """Every operation of the chain, for these rows of its output."""
    x = _part(chain[0].input, _needed(chain[0], rows[0]))
    for each, (first, behind) in zip(chain, rows, strict=True):
        y = _part(each.output, (first, behind))
        if each is not chain[-1]:
            y = replace(y, buffer=f"{each.output.buffer} {number}", offset=0)
        above = max(each.fields["pad_top"] - first * each.fields["stride_y"], 0)
        fields = {**each.fields, "in_h": x.height, "out_h": y.height, "pad_top": above}
        yield replace(each, input=x, output=y, fields=fields, macs=each.macs if number == 0 else 0)
        x = y


def _needed(each: Operation, rows: Rows) -> Rows:
    """Rows of the input that rows of the output depend on."""
    d = each.fields
    first = rows[0] * d["stride_y"] - d["pad_top"]
    last = (rows[1] - 1) * d["stride_y"] - d["pad_top"] + (d["kh"] - 1) * d["dil_y"]
    return max(first, 0), min(last + 1, d["in_h"])


def _part(view: View, rows: Rows) -> View:
    return replace(view, height=rows[1] - rows[0], offset=view.offset + rows[0] * view.row_bytes)
