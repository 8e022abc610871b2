"""A light reading of an ONNX file for the constraints: nodes, shapes and which values are constants.

It works on the protobuf and not on `onnx_ir`, whose import alone takes longer than `tinsmith ops` may.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper

from tinsmith.constraints.curves import Step, find_curves, is_elementwise
from tinsmith.constraints.evaluate import Array, evaluate
from tinsmith.ir.provenance import LAYER, SOURCE

Shape = tuple[int, ...]
STANDARD = ("", "ai.onnx")
HANDING_ON = ("Identity", "Dropout", "Cast", "CastLike")
"""Operators whose result is their first input."""
FLOAT = 1


@dataclass(frozen=True, eq=False)
class NodeView:
    """One node, as constraint functions see it."""

    proto: onnx.NodeProto
    graph: GraphView

    @property
    def op(self) -> str:
        """Operator name without domain."""
        return str(self.proto.op_type)

    @property
    def domain(self) -> str:
        """Operator domain; the standard one is empty."""
        return "" if self.proto.domain in STANDARD else self.proto.domain

    @property
    def label(self) -> str:
        """What to call the node in a message: operator, name and, where known, the Python line."""
        properties = {p.key: p.value for p in self.proto.metadata_props}
        name = properties.get(LAYER) or self.proto.name or next(iter(self.proto.output), "")
        place = properties.get(SOURCE, "")
        return f"{self.op} {name!r}" + (f" ({place})" if place and place != name else "")

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Attributes as Python values: tensors as numpy arrays, strings as str."""
        return {a.name: _python_value(a) for a in self.proto.attribute}

    def has(self, i: int) -> bool:
        """Whether input `i` is given."""
        return i < len(self.proto.input) and bool(self.proto.input[i])

    def shape(self, i: int = 0) -> Shape | None:
        """Static shape of input `i`, None where unknown."""
        return self.graph.shape(self.proto.input[i]) if self.has(i) else None

    def output_shape(self) -> Shape | None:
        """Static shape of the first output, None where unknown."""
        return self.graph.shape(self.proto.output[0])

    def constant(self, i: int) -> Array | None:
        """Value of input `i` where it is a constant."""
        return self.graph.constants.get(self.proto.input[i]) if self.has(i) else None

    def is_constant(self, i: int) -> bool:
        """Whether input `i` is given and is a constant."""
        return self.constant(i) is not None

    def activations(self) -> list[int]:
        """Indices of the inputs that are given and are not constants."""
        return [i for i in range(len(self.proto.input)) if self.has(i) and not self.is_constant(i)]

    def ints(self, name: str, i: int | None = None) -> tuple[int, ...] | None:
        """Attribute `name`, or the constant input `i` that replaced it in later opsets."""
        if name in self.attributes:
            return tuple(self.attributes[name])
        value = self.constant(i) if i is not None else None
        return None if value is None else tuple(int(v) for v in value.reshape(-1))

    def producer(self, i: int = 0) -> NodeView | None:
        """The node that makes input `i`, if a node does."""
        return self.graph.producers.get(self.proto.input[i])

    def consumers(self) -> list[NodeView]:
        """Nodes that read the first output."""
        return self.graph.consumers.get(self.proto.output[0], [])

    def readers(self) -> list[NodeView]:
        """As `consumers`, but for nodes that hand their input on: what reads these."""
        found: list[NodeView] = []
        for reader in self.consumers():
            found += reader.readers() if reader.op in HANDING_ON else [reader]
        return found

    def maker(self, i: int = 0) -> NodeView | None:
        """As `producer`, but for nodes that hand their input on: what made theirs."""
        found = self.producer(i)
        while found is not None and found.op in HANDING_ON:
            found = found.producer()
        return found

    @property
    def is_in_a_curve(self) -> bool:
        """Whether it belongs to a part of the graph that becomes a table (constraints/curves.py)."""
        return self.proto.output[0] in self.graph.curved

    def is_output(self) -> bool:
        """Whether the first output is an output of the graph."""
        return self.proto.output[0] in self.graph.outputs


class GraphView:
    """A whole graph: shapes by name, constants by name, nodes in order.

    `nodes` leaves out what no output needs and what only computes constants, whose values are in `constants`.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.proto = model.graph
        self.opset = max((o.version for o in model.opset_import if o.domain in STANDARD), default=0)
        self.outputs = {o.name for o in self.proto.output}
        self.types = {v.name: v.type.tensor_type for v in self._infos()}
        self.constants: dict[str, Array] = {t.name: onnx.numpy_helper.to_array(t) for t in self.proto.initializer}
        computed = [n for n in (NodeView(p, self) for p in self.proto.node) if not self._fold(n)]
        self.nodes = self._used(computed)
        self.producers = {name: node for node in self.nodes for name in node.proto.output if name}
        self.consumers: dict[str, list[NodeView]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.proto.input):
                self.consumers.setdefault(name, []).append(node)

    @cached_property
    def curved(self) -> frozenset[str]:
        """What the nodes of curves compute."""
        curves = find_curves([_step(node) for node in self.nodes], self.outputs)
        return frozenset(self.nodes[i].proto.output[0] for curve in curves for i in curve.steps)

    def _infos(self) -> Iterator[onnx.ValueInfoProto]:
        yield from self.proto.value_info
        yield from self.proto.input
        yield from self.proto.output

    def shape(self, name: str) -> Shape | None:
        """Static shape of a value, None where a dimension is unknown."""
        if name in self.constants:
            return self.constants[name].shape
        kind = self.types.get(name)
        if kind is None or not kind.HasField("shape"):
            return None
        if any(not d.HasField("dim_value") for d in kind.shape.dim):
            return None
        return tuple(d.dim_value for d in kind.shape.dim)

    def element_type(self, name: str) -> int:
        """ONNX element type of a value that is not a constant; 0 where unknown."""
        kind = self.types.get(name)
        return kind.elem_type if kind is not None else 0

    def _used(self, nodes: list[NodeView]) -> list[NodeView]:
        """Nodes that an output depends on."""
        wanted, used = set(self.outputs), []
        for node in reversed(nodes):
            if wanted.intersection(node.proto.output):
                wanted.update(node.proto.input)
                used.append(node)
        return used[::-1]

    def _fold(self, node: NodeView) -> bool:
        """Evaluate `node` if its inputs are known; returns whether it makes constants only."""
        if any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.proto.attribute):
            return False
        inputs = self._known_inputs(node)
        if inputs is None:
            return False
        try:
            values = evaluate(node.proto, inputs, node.attributes, self.opset)
        except (ValueError, IndexError, KeyError, TypeError):
            return False  # an ill-formed node: the checker names it
        if values is None:
            return False
        self.constants.update(zip((name for name in node.proto.output if name), values, strict=False))
        return True

    def _known_inputs(self, node: NodeView) -> list[Array | None] | None:
        if node.op == "Shape" and (shape := node.shape()) is not None:
            return [np.broadcast_to(np.float32(0), shape)]  # only its shape is asked for
        if node.op == "CastLike" and node.is_constant(0) and self.element_type(node.proto.input[1]) == FLOAT:
            return [node.constant(0), np.zeros((), np.float32)]  # only its type is asked for
        if not node.proto.input:
            return [] if node.op == "Constant" else None
        names = list(node.proto.input)
        return [self.constants.get(n) for n in names] if all(not n or n in self.constants for n in names) else None


def _step(node: NodeView) -> Step:
    computed, constants = node.activations(), [node.constant(i) for i in range(len(node.proto.input))]
    sizes = [value.size for value in constants if value is not None]
    shapes = [node.shape(i) for i in computed]
    to_float = node.op != "Cast" or node.attributes.get("to") == FLOAT
    simple = len(node.proto.output) == 1 and node.domain == "" and to_float
    inputs = tuple(node.proto.input[i] for i in computed)
    return Step(node.op, inputs, node.proto.output[0], simple and is_elementwise(shapes, node.output_shape(), sizes))


def _python_value(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value
