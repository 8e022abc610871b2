"""Which layers of a model put out their accumulators, as the recipe asks, and which cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx_ir as ir

from tinsmith.errors import Problems
from tinsmith.ir.accumulators import LAYERS, reaches_output
from tinsmith.ir.provenance import layer_name, source
from tinsmith.numerics.groups import Group
from tinsmith.recipe import LayerSettings


def accumulators(model: ir.Model, groups: Sequence[Group], settings: Mapping[ir.Value, LayerSettings]) -> set[ir.Value]:
    """The results of layers that are to stay accumulators, and what Reshapes make of these.

    Raises:
        TinsmithError: every input and layer that the recipe asks this of and that is no Conv or Gemm of real weights
            at the end of the graph, or that has a range too.
    """
    problems, found = Problems(), set[ir.Value]()
    for value in model.graph.inputs:
        if settings[value].output == "accumulator":
            problems.add(_ASKED, where=f"input {value.name!r}", why="an input has none", fix=_FIX)
    for group in groups:
        if group.head.op_type == "Reshape" and group.head.inputs[0] in found:
            found.add(group.output)
        elif settings[group.output].output == "accumulator":
            why = _obstacle(group, settings[group.output])
            if why:
                where = f"{group.head.op_type} {layer_name(group.head)!r} ({source(group.head)})"
                problems.add(_ASKED, where=where, why=why, fix=_FIX)
            else:
                found.add(group.output)
    problems.check()
    return found


_ASKED = "the recipe asks for its accumulator"
_FIX = "leave `output` out, or end the network in this convolution or linear layer, without an activation behind it"


def _obstacle(group: Group, settings: LayerSettings) -> str:
    """Why a layer cannot put out its accumulator; empty where it can."""
    if group.head.op_type not in LAYERS or group.head.domain:
        return "only a convolution or matrix product of real-valued weights has one scale to give to all of its sums"
    if len(group.nodes) > 1:
        return f"{layer_name(group.nodes[-1])!r}, which works on 8-bit values, is part of the layer"
    if not reaches_output(group.output):
        return "layers read 8-bit values, so only a result of the network can keep all bits"
    if settings.asks_for_16_bits and settings.insists:
        return "its sums have 32 bits, and the recipe gives it 16 too"
    return "a range says what becomes of 8-bit values, and the recipe gives one too" if settings.range else ""
