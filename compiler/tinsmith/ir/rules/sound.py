"""Rules of every stage: the graph is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import onnx_ir as ir

Findings = Iterator[tuple[str, str]]
Rule = Callable[[ir.Model], Findings]


def place(node: ir.Node) -> str:
    """A node as a broken rule names it."""
    return f"{node.op_type} {node.name!r}"


def values_are_defined_before_use(model: ir.Model) -> Findings:
    """Every input of a node is a graph input, an initializer or an output of an earlier node."""
    known = {id(v) for v in (*model.graph.inputs, *model.graph.initializers.values())}
    for node in model.graph:
        for value in node.inputs:
            if value is not None and id(value) not in known:
                yield place(node), f"input {value.name!r} is not defined before it"
        known.update(id(v) for v in node.outputs)
    for value in model.graph.outputs:
        if id(value) not in known:
            yield "graph", f"output {value.name!r} is not defined"


def value_names_are_unique(model: ir.Model) -> Findings:
    """Every graph input, initializer and node output has a name of its own."""
    seen: dict[str, ir.Value] = {}
    outputs = (v for node in model.graph for v in node.outputs)
    for value in (*model.graph.inputs, *model.graph.initializers.values(), *outputs):
        if value.name and seen.setdefault(value.name, value) is not value:
            yield "graph", f"two values are called {value.name!r}"


SOUND: tuple[Rule, ...] = (values_are_defined_before_use, value_names_are_unique)
