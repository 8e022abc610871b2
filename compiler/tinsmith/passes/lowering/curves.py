"""Lowers a function of one value to the table of its 256 results."""

from __future__ import annotations

from dataclasses import replace

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.numerics.curves import results_of
from tinsmith.passes.lowering.builder import Builder, fields, place
from tinsmith.passes.lowering.qdq import Group, stored_name


def lower_curve(builder: Builder, group: Group, node: ir.Node) -> None:
    """A call of a curve, with the activation behind it."""
    x = builder.tensors[stored_name(node.inputs[0])]
    y, (lo, hi) = group.output, group.clamp()
    try:
        table = results_of(builder.functions[node.op_identifier()], x, y, lo, hi)
    except ArithmeticError as error:
        what, where = f"its result for {error} is no number", place(group.name, group.source, "Table")
        why = f"its input can be anything from {x.lo - x.zero_point} to {x.hi - x.zero_point} steps of {x.scale:g}"
        builder.problems.add(what, where=where, why=why, fix="clip what comes before to where the function is defined")
        builder.tensors[y.name] = y
        return
    builder.add(exact.Table(**fields(group, x.name), table=table), replace(y, lo=lo, hi=hi))
