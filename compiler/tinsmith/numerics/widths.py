"""Which tensors have 16 bits, as the recipe asks, and which keep 8 because of who makes, moves or reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnx_ir as ir

from tinsmith.errors import Problems
from tinsmith.ir.accumulators import LAYERS
from tinsmith.ir.bits import SHIFT
from tinsmith.ir.provenance import layer_name, source
from tinsmith.ir.trained import read_layer
from tinsmith.numerics.given import given_grid
from tinsmith.numerics.groups import GridClass, Group
from tinsmith.numerics.ranges import REACH
from tinsmith.numerics.requantize import INT32_MAX
from tinsmith.numerics.roles import ACTIVATIONS
from tinsmith.recipe import LayerSettings

_MULTIPLY = (*LAYERS, *SHIFT)
_MOVE = ("Concat", "Reshape", "Transpose")
_TAKES = "convolutions and linear layers make and read 16 bits, and Reshape, Transpose and Concat move them"


def wide_values(
    groups: Sequence[Group], classes: Sequence[GridClass], settings: Mapping[ir.Value, LayerSettings]
) -> tuple[set[ir.Value], tuple[tuple[str, str], ...]]:
    """The values that are stored in 16 bits, and (layer, why) of those that are not although the recipe would.

    Values that share a grid have 16 bits if one that is computed asks for it, or one that is moved insists, and all of
    them can.

    Raises:
        TinsmithError: every layer and model input whose own name the recipe gives 16 bits and that cannot have them.
    """
    makers = {group.output: group for group in groups}
    wide, kept, problems = set[ir.Value](), [], Problems()
    for shared in classes:
        asking = [value for value in shared.members if _asks(settings[value], value in shared.sources)]
        why = next(_obstacles(shared, makers), "") if asking else ""
        if asking and not why:
            wide.update(shared.members)
        for value in asking if why else ():
            if settings[value].insists:
                fix = 'activations = "8-bit" for it, or change what it stands beside'
                problems.add(
                    "the recipe gives it 16 bits", where=_place(value, makers), why=f"{why}; {_TAKES}", fix=fix
                )
            else:
                kept.append((_name(value, makers), why))
    problems.check()
    return wide, tuple(kept)


def _asks(told: LayerSettings, computed: bool) -> bool:
    return told.asks_for_16_bits and (computed or told.insists)


def _obstacles(shared: GridClass, makers: Mapping[ir.Value, Group]) -> Iterator[str]:
    """Why values that share a grid cannot have 16 bits, one reason after the other."""
    for value in shared.members:
        group = makers.get(value)
        if given_grid(value) is not None:
            yield f"the model says which grid {value.name!r} has"
        if group is not None and not _makes(group, value in shared.sources):
            yield f"{group.head.op_type} {layer_name(group.head)!r} makes it"
        for use in value.uses():
            if not (use.idx == 0 and use.node.op_type in _MULTIPLY) and use.node.op_type not in _MOVE:
                yield f"{use.node.op_type} {layer_name(use.node)!r} reads it"
            elif use.node.op_type in SHIFT and _largest_sum(use.node) > INT32_MAX:
                yield f"the sums of {use.node.op_type} {layer_name(use.node)!r} could pass int32"


def _makes(group: Group, computes: bool) -> bool:
    if not computes:
        return group.head.op_type in _MOVE
    return group.head.op_type in _MULTIPLY and all(node.op_type in ACTIVATIONS for node in group.nodes[1:])


def _largest_sum(node: ir.Node) -> int:
    """What products of 16 bits by the weights of a trained layer can add up to."""
    weight = np.abs(read_layer(node).weight.astype(np.int64))
    sums = weight.sum(axis=0) if weight.ndim == 2 else weight.reshape(len(weight), -1).sum(axis=1)
    return int(sums.max()) * REACH[16]


def _name(value: ir.Value, makers: Mapping[ir.Value, Group]) -> str:
    return layer_name(makers[value].head) if value in makers else value.name or ""


def _place(value: ir.Value, makers: Mapping[ir.Value, Group]) -> str:
    if value not in makers:
        return f"input {value.name!r}"
    head = makers[value].head
    return f"{head.op_type} {layer_name(head)!r} ({source(head)})"
