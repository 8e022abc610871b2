"""Which nodes of a canonical model become one quantized layer, and which values must share one grid."""

from __future__ import annotations

from dataclasses import dataclass, field

import onnx_ir as ir

from tinsmith.ir.bits import is_bit, stays_bits
from tinsmith.numerics.curves import is_never_negative
from tinsmith.numerics.given import PAIR, before_pair, dequantized_grid
from tinsmith.numerics.roles import absorbed, role

FLOAT_TAILS = frozenset({"Softmax", "ArgMax"})
"""Operators that stand at graph outputs and make no 8-bit value."""


@dataclass(frozen=True)
class Group:
    """One quantized layer: a head with what it absorbed, or one node alone."""

    nodes: tuple[ir.Node, ...]

    @property
    def head(self) -> ir.Node:
        """The node that computes."""
        return self.nodes[0]

    @property
    def output(self) -> ir.Value:
        """The value that becomes 8-bit or stays one bit."""
        return self.nodes[-1].outputs[0]

    @property
    def is_8_bit(self) -> bool:
        """Whether somebody reads the output as an 8-bit value: not where it is bits that only binary layers read."""
        return not (is_bit(self.output) and stays_bits(self.output))

    @property
    def moves(self) -> bool:
        """Whether it only picks or moves values: inputs and output share one grid."""
        return role(self.head) == "move"


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
    taken: set[ir.Node] = set()
    for node in model.graph:
        if node in taken or node.op_type in FLOAT_TAILS or node.op_type in PAIR:
            continue
        nodes = absorbed(node)
        taken.update(nodes)
        groups.append(Group(tuple(nodes)))
    return groups


def grid_classes(model: ir.Model, groups: list[Group]) -> list[GridClass]:
    """Every value that becomes 8-bit, in classes that share a grid, each in graph order."""
    classes = _Classes()
    stored = [group for group in groups if group.is_8_bit]
    movers = {group.output for group in stored if group.moves}
    values = [*model.graph.inputs, *(group.output for group in stored)]
    for group in stored:
        if group.moves:
            for source in data_inputs(group.head):
                classes.join(before_pair(source), group.output)
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

    def positive(value: ir.Value) -> bool:
        grid = dequantized_grid(value)
        return value in found if grid is None else grid.limits[0] >= 0

    for group in groups:
        curve = model.functions.get(group.head.op_identifier()) if role(group.head) == "curve" else None
        if (
            (curve is not None and is_never_negative(curve))
            or _ends_at_zero(group.nodes[-1])
            or (role(group.head) in ("sum", "pool", "move") and all(map(positive, data_inputs(group.head))))
        ):
            found.add(group.output)
    return found


def _ends_at_zero(node: ir.Node) -> bool:
    """Whether an activation's lower end is zero or above."""
    if node.op_type in ("Relu", "ReduceMean"):  # which only stands behind Abs
        return True
    if node.op_type != "Clip" or len(node.inputs) < 2 or node.inputs[1] is None:
        return False
    low = node.inputs[1].const_value
    return low is not None and float(low.numpy()) >= 0
