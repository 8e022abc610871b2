"""Refuses bits that are needed in two forms where only one can be made."""

from __future__ import annotations

from collections.abc import Sequence

from tinsmith.errors import Problems
from tinsmith.ir.bits import flips_signs, is_bit, reads_bits
from tinsmith.ir.provenance import layer_name, source
from tinsmith.numerics.groups import Group

_FIX = "binarize once for the binary layers and once for the others"


def check_bits(groups: Sequence[Group]) -> None:
    """Raise `TinsmithError` for every layer that moves bits both to binary layers and to others.

    A Binarize itself may feed both: it has a second, 8-bit output then.
    """
    problems = Problems()
    for group in groups:
        readers = [use.node for use in group.output.uses()]
        where = f"{group.head.op_type} {layer_name(group.head)!r} ({source(group.head)})"
        if group.moves and is_bit(group.output) and group.is_8_bit and any(map(reads_bits, readers)):
            others = ", ".join(repr(layer_name(node)) for node in readers if not reads_bits(node))
            what = f"its bits are read by binary layers and, as numbers, by {others or 'the output'}"
            problems.add(what, where=where, why="they are packed or they are bytes, not both", fix=_FIX)
        if not group.is_8_bit and _is_bare_flip(group):
            what = "it flips the signs of bits"
            fix = "fold the signs into the weights of the layers behind it"
            problems.add(what, where=where, why="only a max pool on bits takes signs", fix=fix)
    problems.check()


def _is_bare_flip(group: Group) -> bool:
    return group.moves and flips_signs(group.head) and len(group.nodes) < 3
