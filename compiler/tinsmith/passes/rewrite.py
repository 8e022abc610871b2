"""What the canonical passes share: reading constants and shapes, making nodes, putting them in place of others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.ir.stages import Stage
from tinsmith.passes.base import Pass

Array = npt.NDArray[Any]


class RewritePass(Pass):
    """A pass that looks at each node of some operators, once, in order."""

    requires = Stage.IMPORTED
    ensures = Stage.IMPORTED
    ops: ClassVar[tuple[str, ...]]
    """Standard operators that `rewrite` is called for."""

    def run(self, model: ir.Model) -> bool:
        """Call `rewrite` for every node of `ops` that an earlier call has not removed."""
        changed = False
        for node in list(model.graph):
            if node.graph is model.graph and node.domain == "" and node.op_type in self.ops:
                changed |= self.rewrite(node, model.graph)
        return changed

    @abstractmethod
    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace `node` in `graph` if this pass wants to; returns whether anything changed."""


def input_of(node: ir.Node, i: int = 0) -> ir.Value:
    """Input `i`, which must be given."""
    value = node.inputs[i]
    if value is None:
        raise ValueError(f"{node.op_type} {node.name!r} lacks input {i}")
    return value


def shape_of(value: ir.Value) -> tuple[int, ...]:
    """The static shape of a value; in an imported model every value has one."""
    if value.shape is None or not value.shape.is_static():
        raise ValueError(f"value {value.name!r} has no static shape")
    return tuple(int(d) for d in value.shape.numpy())


def constant_of(node: ir.Node, i: int) -> Array | None:
    """Value of input `i` where it is given and an initializer."""
    value = node.inputs[i] if i < len(node.inputs) else None
    return None if value is None or value.const_value is None else value.const_value.numpy()


def attributes_of(node: ir.Node) -> dict[str, Any]:
    """Attributes as Python values."""
    return {name: attribute.value for name, attribute in node.attributes.items()}


def ints_of(node: ir.Node, name: str, i: int | None = None) -> tuple[int, ...] | None:
    """Attribute `name`, or constant input `i` in its place."""
    if name in node.attributes:
        return tuple(node.attributes[name].as_ints())
    value = constant_of(node, i) if i is not None else None
    return None if value is None else tuple(int(v) for v in value.reshape(-1))


def along(values: Array, rank: int, axis: int | None) -> Array:
    """`values` in the shape that broadcasts them along `axis` of a value with `rank` axes; a scalar without one."""
    if axis is None:
        return np.asarray(values.reshape(-1)[0])
    return values if axis == rank - 1 else values.reshape(*[1] * axis, -1, *[1] * (rank - 1 - axis))


def only_consumer(value: ir.Value) -> ir.Node | None:
    """The one node that reads `value`, once, where nobody else does and the graph does not return it."""
    uses = list(value.uses())
    return uses[0].node if len(uses) == 1 and not value.is_graph_output() else None


def add_constant(graph: ir.Graph, name: str, array: npt.ArrayLike, dtype: Any = np.float32) -> ir.Value:
    """A new initializer called `name` or, where that is taken, `name_2` …"""
    with np.errstate(over="ignore"):  # frontend/finite.py reports what overflows, by layer
        array = np.asarray(array, dtype)
    tensor = ir.tensor(np.ascontiguousarray(array).reshape(np.shape(array)))
    name = _fresh(graph, name)
    kind = ir.TensorType(tensor.dtype)
    value = ir.Value(name=name, shape=ir.Shape(np.shape(array)), type=kind, const_value=tensor)
    graph.register_initializer(value)
    return value


def new_node(
    op: str,
    inputs: Sequence[ir.Value | None],
    shape: Sequence[int],
    old: Sequence[ir.Node],
    attributes: Mapping[str, Any] | None = None,
    *,
    part: str = "",
    dtype: ir.DataType = ir.DataType.FLOAT,
) -> ir.Node:
    """A node with one output of `shape` that stands for `old` (provenance.inherit).

    Put it into the graph with `replace`, which names its output.
    """
    output = ir.Value(shape=ir.Shape(shape), type=ir.TensorType(dtype))
    node = ir.node(op, inputs, dict(attributes or {}), outputs=[output])
    inherit(node, *old, part=part)
    return node


def new_reshape(graph: ir.Graph, x: ir.Value, shape: Sequence[int], old: Sequence[ir.Node], part: str = "") -> ir.Node:
    """A Reshape of `x` to a constant shape."""
    target = add_constant(graph, f"{layer_name(old[0])}.shape", np.asarray(shape, np.int64), np.int64)
    return new_node("Reshape", [x, target], shape, old, part=part)


def replace(old: ir.Node, new: Sequence[ir.Node]) -> None:
    """Put `new` where `old` is; the last one's output takes over name and uses of `old`'s only output."""
    graph = old.graph
    if not isinstance(graph, ir.Graph):
        raise ValueError(f"{old.name!r} is in no graph")
    before, after = old.outputs[0], new[-1].outputs[0]
    for node in new[:-1]:
        node.outputs[0].name = _fresh(graph, node.name or "value")
    graph.insert_before(old, list(new))
    before.replace_all_uses_with(after, replace_graph_outputs=True)
    graph.remove(old, safe=True)
    after.name = before.name


def bypass(node: ir.Node) -> bool:
    """Let readers of `node`'s output read its first input; returns False where the graph's border forbids it."""
    x, y, graph = input_of(node), node.outputs[0], node.graph
    if not isinstance(graph, ir.Graph):
        return False
    name, returned = y.name, y.is_graph_output()
    if returned and (x.producer() is None or x.is_graph_output()):
        return False
    y.replace_all_uses_with(x, replace_graph_outputs=True)
    graph.remove(node, safe=True)
    if returned:
        x.name = name
    return True


def _fresh(graph: ir.Graph, name: str) -> str:
    from tinsmith.frontend.names import unique

    outputs = (v.name for node in graph for v in node.outputs)
    return unique(name, {n for n in (*(v.name for v in graph.inputs), *graph.initializers, *outputs) if n})
