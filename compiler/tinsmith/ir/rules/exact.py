"""Rules of stage EXACT: integer operators with function bodies, and ranges that are proved."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.errors import TinsmithError
from tinsmith.ir.ops import OPERATORS
from tinsmith.ir.rules.sound import Findings, Rule, place


def operators_are_exact(model: ir.Model) -> Findings:
    """Every node is an operator of the exact graph, with one output."""
    for node in model.graph:
        if (node.domain, node.op_type) not in OPERATORS or len(node.outputs) != 1:
            yield place(node), f"operator {node.domain or 'ai.onnx'}:{node.op_type} is not exact"


def layer_names_are_unique(model: ir.Model) -> Findings:
    """Every node has a name of its own, which reports and mismatches use."""
    seen: set[str] = set()
    for node in model.graph:
        if not node.name or node.name in seen:
            yield place(node), "its name is empty or another node's"
        seen.add(node.name or "")


def records_can_be_read(model: ir.Model) -> Findings:
    """The strict reader takes the model, with its function bodies, and proves its ranges."""
    from tinsmith.ir.reader import read_exact

    if any(operators_are_exact(model)):
        return
    try:
        read_exact(model)
    except TinsmithError as error:
        for problem in error.problems:
            yield problem.where or "model", problem.what


def nothing_tells_where_it_was_made(model: ir.Model) -> Findings:
    """No producer and no free text, in which a time, a path or a host name could hide."""
    for name in ("producer_name", "producer_version", "doc_string"):
        if getattr(model, name):
            yield "model", f"it has a {name}"
    for node in model.graph:
        if node.doc_string:
            yield place(node), "it has a doc string"


EXACT: tuple[Rule, ...] = (
    operators_are_exact,
    layer_names_are_unique,
    records_can_be_read,
    nothing_tells_where_it_was_made,
)
