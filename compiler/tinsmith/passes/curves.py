"""Makes one function of each curve, so that no other pass takes its parts for something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import onnx_ir as ir

from tinsmith.constraints.curves import Step, find_curves, is_elementwise
from tinsmith.ir.domain import CURVE_DOMAIN, CURVE_VERSION, OPSET
from tinsmith.ir.provenance import inherit
from tinsmith.ir.stages import Stage
from tinsmith.passes.base import Pass
from tinsmith.passes.rewrite import replace


class Curves(Pass):
    """Sigmoid, SiLU, GELU …: what computes one value from one value becomes one node, its nodes a function's body."""

    name: ClassVar[str] = "curves"
    requires: ClassVar[Stage] = Stage.IMPORTED
    ensures: ClassVar[Stage] = Stage.IMPORTED

    def run(self, model: ir.Model) -> bool:
        """Call a function in the place of every curve."""
        nodes = list(model.graph)
        curves = find_curves([_step(node) for node in nodes], [value.name or "" for value in model.graph.outputs])
        values = {value.name: value for value in model.graph.inputs}
        values |= {value.name: value for node in nodes for value in node.outputs}
        bodies: dict[bytes, ir.Function] = {}
        inside: dict[ir.Node, None] = {}
        for curve in curves:
            parts, x = [nodes[i] for i in curve.steps], values[curve.x]
            node = _call(_function(parts, x, bodies), parts, x)
            inside |= dict.fromkeys(parts[:-1])
            replace(parts[-1], [node])
            values[curve.result] = node.outputs[0]
        for node in sorted(inside, key=nodes.index, reverse=True):
            if not any(out.uses() for out in node.outputs):
                model.graph.remove(node, safe=True)
        for body in bodies.values():
            model.functions[body.identifier()] = body
        if bodies:
            model.graph.opset_imports[CURVE_DOMAIN] = CURVE_VERSION
        return bool(bodies)


def _step(node: ir.Node) -> Step:
    given = [value for value in node.inputs if value is not None]
    computed = [value for value in given if value.const_value is None]
    simple = len(node.outputs) == 1 and node.domain == ""
    return Step(
        node.op_type,
        tuple(value.name or "" for value in computed),
        node.outputs[0].name or "",
        simple
        and is_elementwise(
            [_shape(value) for value in computed],
            _shape(node.outputs[0]),
            [value.const_value.size for value in given if value.const_value is not None],
        ),
    )


def _shape(value: ir.Value) -> tuple[int, ...] | None:
    return None if value.shape is None or not value.shape.is_static() else tuple(int(d) for d in value.shape.numpy())


def _call(body: ir.Function, old: Sequence[ir.Node], x: ir.Value) -> ir.Node:
    y = old[-1].outputs[0]
    output = ir.Value(shape=y.shape, type=ir.TensorType(ir.DataType.FLOAT))
    node = ir.node(body.name, [x], domain=CURVE_DOMAIN, outputs=[output])
    inherit(node, *old)
    return node


def _function(nodes: Sequence[ir.Node], x: ir.Value, bodies: dict[bytes, ir.Function]) -> ir.Function:
    """The function that `nodes` compute of `x`; an equal one that was made before, if there is."""
    name = "_".join(node.op_type for node in nodes)
    function = ir.Function(CURVE_DOMAIN, name, graph=_body(nodes, x), attributes=[])
    key = ir.to_proto(function).SerializeToString(deterministic=True)
    if key not in bodies:
        taken = [body.name for body in bodies.values()]
        number = sum(each == f"Curve_{name}" or each.startswith(f"Curve_{name}_of_") for each in taken)
        function.name = f"Curve_{name}" + (f"_of_{number + 1}" if number else "")
        bodies[key] = function
    return bodies[key]


def _body(nodes: Sequence[ir.Node], x: ir.Value) -> ir.Graph:
    """Copies of `nodes`, constants with them, under names that tell nothing of where they stood."""
    copies: dict[ir.Value, ir.Value] = {x: ir.Value(name="x", type=x.type)}
    made: list[ir.Node] = []

    def copy(value: ir.Value | None) -> ir.Value | None:
        if value is None:
            return None
        if value not in copies:
            if value.const_value is None:
                raise ValueError(f"{value.name!r} is none of the curve's values")
            tensor = ir.tensor(np.asarray(value.const_value.numpy()).reshape(()))
            constant = ir.node("Constant", [], {"value": tensor})
            constant.outputs[0].name = f"c{len(made)}"
            made.append(constant)
            copies[value] = constant.outputs[0]
        return copies[value]

    for node in nodes:
        attributes = [attribute for _, attribute in sorted(node.attributes.items())]
        inputs = [copy(value) for value in node.inputs]
        new = ir.Node("", node.op_type, inputs, attributes, num_outputs=1)
        new.outputs[0].name = "y" if node is nodes[-1] else f"v{len(made)}"
        made.append(new)
        copies[node.outputs[0]] = new.outputs[0]
    y = made[-1].outputs[0]
    return ir.Graph([copies[x]], [y], nodes=made, opset_imports={"": OPSET})
