"""Lowers Add of two tensors, and activations or changes of grid that stand alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx_ir as ir

from tinsmith.errors import TinsmithError
from tinsmith.ir import exact
from tinsmith.numerics.ranges import true_interval
from tinsmith.numerics.requantize import choose_addition
from tinsmith.passes.lowering.builder import Builder, fields, place
from tinsmith.passes.lowering.qdq import Group, stored_name


def lower_add(builder: Builder, group: Group, node: ir.Node) -> None:
    """Add(a, b) of equal shapes."""
    operands = [builder.tensors[stored_name(value)] for value in node.inputs]
    y, (lo, hi) = group.output, group.clamp()
    ratios = [operand.scale / y.scale for operand in operands]
    reach = [max(-low, high) for low, high in map(true_interval, operands)]
    where = place(group.name, group.source, "Add")
    try:
        multipliers, requant = choose_addition(ratios, reach, zero_point=y.zero_point, lo=lo, hi=hi, where=where)
    except TinsmithError as error:
        builder.problems.found.extend(error.problems)
        multipliers, requant = choose_addition([1.0, 1.0], reach, zero_point=y.zero_point, lo=lo, hi=hi)
    layer = exact.Add(**fields(group, *(o.name for o in operands)), multipliers=multipliers, requant=requant)
    builder.add(layer, replace(y, lo=lo, hi=hi))


def lower_requantize(builder: Builder, group: Group, value: ir.Value) -> None:
    """A Relu or Clip of its own, or a tensor that is quantized again; `value` is the dequantized input."""
    x = builder.tensors[stored_name(value)]
    builder.add_requantized(
        lambda requant: exact.Requantize(**fields(group, x.name), requant=requant),
        group,
        np.array([x.scale / group.output.scale]),
    )
