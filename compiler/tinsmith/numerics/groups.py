"""Which nodes of a canonical model become one quantized layer, and which values must share one grid."""

from __future__ import annotations

from dataclasses import dataclass, field

import onnx_ir as ir

HEADS = frozenset({"Conv", "Gemm", "Add", "AveragePool"})
"""Operators that compute, and may take the activation behind them into their requantization."""
ACTIVATIONS = frozenset({"Relu", "Clip"})
MOVERS = frozenset({"MaxPool", "Concat", "Reshape", "Transpose"})
"""Operators that only pick or move values: inputs and output share one grid."""
FLOAT_TAILS = frozenset({"Softmax", "ArgMax"})
"""Operators that stand at graph outputs and make no 8-bit value."""


@dataclass(frozen=True)
class Group:
    """One quantized layer: a head with the activation it absorbed, or one node alone."""

    nodes: tuple[ir.Node, ...]

    @property
    def head(self) -> ir.Node:
        """The node that computes."""
        return self.nodes[0]

    @property
    def output(self) -> ir.Value:
        """The value that becomes 8-bit."""
        return self.nodes[-1].outputs[0]


@dataclass(frozen=True)
class GridClass:
    """Values that share one grid.

    `sources` are the values among them whose range counts (graph inputs and layers that compute); the others only
    pick from these.
    """

    members: tuple[ir.Value, ...]
    sources: tuple[ir.Value, ...]


@dataclass
class _Classes:
    """Union-find over values."""

    parent: dict[ir.Value, ir.Value] = field(default_factory=dict)

    def find(self, value: ir.Value) -> ir.Value:
        self.parent.setdefault(value, value)
        while self.parent[value] is not value:
            self.parent[value] = self.parent[self.parent[value]]
            value = self.parent[value]
        return value

    def join(self, first: ir.Value, second: ir.Value) -> None:
        self.parent[self.find(second)] = self.find(first)


def find_groups(model: ir.Model) -> list[Group]:
    """The quantized layers of a canonical model, in topological order; float tails are in none."""
    groups: list[Group] = []
    absorbed: set[ir.Node] = set()
    for node in model.graph:
        if node in absorbed or node.op_type in FLOAT_TAILS:
            continue
        follower = _absorbable(node) if node.op_type in HEADS else None
        if follower is not None:
            absorbed.add(follower)
        groups.append(Group((node,) if follower is None else (node, follower)))
    return groups


def grid_classes(model: ir.Model, groups: list[Group]) -> list[GridClass]:
    """Every value that becomes 8-bit, in classes that share a grid, each in graph order."""
    classes = _Classes()
    movers = {group.output for group in groups if group.head.op_type in MOVERS}
    values = [*model.graph.inputs, *(group.output for group in groups)]
    for group in groups:
        if group.head.op_type in MOVERS:
            for source in data_inputs(group.head):
                classes.join(source, group.output)
    members: dict[ir.Value, list[ir.Value]] = {}
    for value in values:
        members.setdefault(classes.find(value), []).append(value)
    return [GridClass(tuple(found), tuple(v for v in found if v not in movers)) for found in members.values()]


def data_inputs(node: ir.Node) -> list[ir.Value]:
    """A node's activation inputs: those that are no constants."""
    return [value for value in node.inputs if value is not None and not value.is_initializer()]


def never_negative(model: ir.Model, groups: list[Group], inputs_seen: dict[str, float]) -> set[ir.Value]:
    """Values that cannot be negative by the operators that make them.

    A graph input counts when the smallest value seen of it (`inputs_seen`, by name) is not negative: nothing else
    can be known of it.
    """
    found = {value for value in model.graph.inputs if inputs_seen.get(value.name or "", -1.0) >= 0}
    for group in groups:
        if _ends_at_zero(group.nodes[-1]) or (
            group.head.op_type not in {"Conv", "Gemm"} and all(value in found for value in data_inputs(group.head))
        ):
            found.add(group.output)
    return found


def _absorbable(node: ir.Node) -> ir.Node | None:
    """The activation behind `node`, if that is the only use of its output."""
    output = node.outputs[0]
    uses = list(output.uses())
    if len(uses) != 1 or output.is_graph_output() or uses[0].node.op_type not in ACTIVATIONS:
        return None
    return uses[0].node


def _ends_at_zero(node: ir.Node) -> bool:
    """Whether an activation's lower end is zero or above."""
    if node.op_type == "Relu":
        return True
    if node.op_type != "Clip" or len(node.inputs) < 2 or node.inputs[1] is None:
        return False
    low = node.inputs[1].const_value
    return low is not None and float(low.numpy()) >= 0
