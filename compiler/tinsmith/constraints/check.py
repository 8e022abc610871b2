"""Runs the constraints over a whole graph and reports everything at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import onnx.defs

from tinsmith.constraints import trained
from tinsmith.constraints.table import EVERY, OPERATORS, REFUSED, Constraint
from tinsmith.constraints.view import GraphView, NodeView
from tinsmith.errors import Problem
from tinsmith.ir.domain import TRAINED_DOMAIN

SUPPORTED = "docs/operators.md lists what is taken; `tinsmith ops MODEL` lists all of a model's operators"


@dataclass
class OperatorRow:
    """One operator of a model: how often it occurs and everything that stands against it."""

    operator: str
    count: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def supported(self) -> bool:
        """Whether every node of this operator is taken."""
        return not self.problems


def rule(constraint: Constraint) -> tuple[str, str]:
    """A constraint's rule and the way out, from its docstring."""
    paragraphs = [" ".join(p.split()) for p in (constraint.__doc__ or "").split("\n\n")]
    return paragraphs[0], paragraphs[1] if len(paragraphs) > 1 else ""


def check(graph: GraphView) -> list[Problem]:
    """Everything in `graph` that Tinsmith does not take, in the order of its nodes; empty when it takes it all."""
    found = [problem for node in graph.nodes for problem in node_problems(node)]
    return [*found, *_graph_problems(graph, with_shapes=not found)]


def survey(graph: GraphView) -> list[OperatorRow]:
    """The model's operators by name, with counts and problems; constant arithmetic, which vanishes, is left out."""
    rows: dict[str, OperatorRow] = {}
    for node in graph.nodes:
        name = f"{node.domain}::{node.op}" if node.domain else node.op
        row = rows.setdefault(name, OperatorRow(name))
        row.count += 1
        row.problems += node_problems(node)
    return [rows[name] for name in sorted(rows)]


def node_problems(node: NodeView) -> Iterator[Problem]:
    """Everything that is wrong with one node."""
    unknown = _unknown(node)
    if unknown is not None:
        yield unknown
        return
    odd = [*_odd_attributes(node), *_missing_inputs(node)]
    yield from odd
    if odd:
        return
    own = () if node.is_in_a_curve else OPERATORS[node.op].constraints
    for constraint in (*own, *EVERY):
        detail = constraint(node)
        if detail:
            why, fix = rule(constraint)
            yield Problem(detail, node.label, why, fix)


def _unknown(node: NodeView) -> Problem | None:
    if node.op in OPERATORS and OPERATORS[node.op].domain == node.domain:
        return None
    if node.domain:
        what = f"operator {node.op!r} of domain {node.domain!r} is unknown"
        return Problem(what, node.label, "only standard ONNX operators are taken", SUPPORTED)
    if not onnx.defs.has(node.op):
        return Problem(f"operator {node.op!r} is unknown", node.label, "ONNX has no operator of this name", SUPPORTED)
    why = REFUSED.get(node.op, "it is not among the operators that are taken")
    return Problem(f"operator {node.op!r} is not supported", node.label, why, SUPPORTED)


def _schema(node: NodeView) -> onnx.defs.OpSchema:
    if node.domain == TRAINED_DOMAIN:
        return trained.schema(node.op)
    return onnx.defs.get_schema(node.op, max(node.graph.opset, 1), "")


def _odd_attributes(node: NodeView) -> Iterator[Problem]:
    """Attributes that are missing, that the operator does not have, or that are of another type."""
    known = _schema(node).attributes
    for name in sorted(name for name in known if known[name].required and name not in node.attributes):
        yield Problem(f"attribute {name!r} is missing", node.label, f"{node.op} needs it", "export the model again")
    for attribute in node.proto.attribute:
        name = attribute.name
        if name not in known:
            what = f"attribute {name!r} is unknown"
            why = f"{node.op} of opset {node.graph.opset} has {', '.join(sorted(known)) or 'no attributes'}"
            yield Problem(what, node.label, why, "remove it, or export the model again")
        elif attribute.type != known[name].type.value:
            wanted = known[name].type.name.lower()
            what = f"attribute {name!r} is not {wanted}"
            yield Problem(what, node.label, "the file is damaged or was put together by hand", "export the model again")


def _missing_inputs(node: NodeView) -> Iterator[Problem]:
    schema = _schema(node)
    given = sum(map(node.has, range(schema.min_input)))
    if given < schema.min_input or not node.proto.output or not node.proto.output[0]:
        what = f"has {given} inputs and {len(node.proto.output)} outputs"
        why = f"{node.op} needs at least {schema.min_input} and {schema.min_output}"
        yield Problem(what, node.label, why, "export the model again")


def _graph_problems(graph: GraphView, *, with_shapes: bool) -> Iterator[Problem]:
    computed = {name for node in graph.nodes for name in node.proto.output}
    for name in sorted(graph.outputs - computed):
        kind = "a constant" if name in graph.constants else "an input"
        yield Problem(
            f"output {name!r} is {kind}", "the model", "nothing would be computed for it", "remove the output"
        )
    unclear = [n for node in graph.nodes for n in node.proto.output[:1] if graph.shape(n) is None]
    if with_shapes and unclear:
        what = f"the shape of {unclear[0]!r} is not known" + (
            f", nor of {len(unclear) - 1} more" if unclear[1:] else ""
        )
        yield Problem(what, graph.producers[unclear[0]].label, "every shape is fixed at compile time", "give --shape")
