"""Makes one-dimensional windows two-dimensional: a signal is an image of one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx_ir as ir

from tinsmith.constraints.geometry import in_two_axes
from tinsmith.ir.domain import CURVE_DOMAIN
from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.ir.stages import Stage
from tinsmith.passes.base import Pass
from tinsmith.passes.rewrite import (
    add_constant,
    attributes_of,
    input_of,
    ints_of,
    new_reshape,
    replace,
    shape_of,
)

WINDOWED = (
    "Conv",
    "BinaryConv",
    "ShiftConv",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
)
FOLLOWERS = (
    "BatchNormalization",
    "Relu",
    "Clip",
    "PRelu",
    "LeakyRelu",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Binarize",
    "Abs",
    "ReduceMean",
    "Concat",
)
"""What becomes two-dimensional behind a window, so that nothing stands between layers that belong together."""


class SignalsToImages(Pass):
    """(1, channels, length) becomes (1, channels, 1, length) from each window on, as far as operators allow.

    Constants get an axis of length 1 before their last; a value is reshaped where others need it as it was.
    """

    name = "signals-to-images"
    requires = Stage.IMPORTED
    ensures = Stage.IMPORTED

    def run(self, model: ir.Model) -> bool:
        """Convert what has, or follows, a window along one axis."""
        images: dict[ir.Value, ir.Value] = {}
        for node in list(model.graph):
            if _is_windowed(node) or _follows(node, images):
                _convert(node, model.graph, images)
        for signal in images:
            reshape = signal.producer()
            if reshape is not None and not signal.uses() and not signal.is_graph_output():
                model.graph.remove(reshape, safe=True)
        return bool(images)


def _is_windowed(node: ir.Node) -> bool:
    if not node.inputs or node.inputs[0] is None or len(node.inputs[0].shape or ()) != 3:
        return False
    return node.op_type in WINDOWED or (
        node.op_type == "ReduceMean" and _axes(node) == [2] and not _of_magnitudes(node)
    )


def _of_magnitudes(node: ir.Node) -> bool:
    """Whether a mean is of the result of Abs, which may be one of a token's columns."""
    before = input_of(node).producer()
    return before is not None and before.op_type == "Abs"


def _follows(node: ir.Node, images: Mapping[ir.Value, ir.Value]) -> bool:
    """Whether one input at least is an image already, and all others can become one."""
    values = _activations(node)
    follows = node.op_type in FOLLOWERS or node.domain == CURVE_DOMAIN
    known = follows and any(value in images for value in values)
    return known and all(len(shape_of(value)) == 3 for value in values)


def _activations(node: ir.Node) -> list[ir.Value]:
    return [value for value in node.inputs if value is not None and value.const_value is None]


def _convert(node: ir.Node, graph: ir.Graph, images: dict[ir.Value, ir.Value]) -> None:
    """Put the two-dimensional form in the place of `node`, and a Reshape behind it."""
    new: list[ir.Node] = []
    for value in _activations(node):
        if value not in images:
            batch, channels, length = shape_of(value)
            new.append(new_reshape(graph, value, (batch, channels, 1, length), [node], "image"))
            images[value] = new[-1].outputs[0]
    inputs: list[ir.Value | None]
    if node.op_type == "ReduceMean":
        inputs = [images[input_of(node)], _image_axes(node, graph)]
    else:
        inputs = [_with_axis(v, node, graph) if v and v.const_value else v and images[v] for v in node.inputs]
    y = node.outputs[0]
    output = ir.Value(shape=ir.Shape(_image_shape(node)), type=ir.TensorType(ir.DataType.FLOAT))
    made = ir.node(node.op_type, inputs, _attributes(node), domain=node.domain, outputs=[output])
    inherit(made, node)
    back = new_reshape(graph, output, shape_of(y), [node], "signal")
    replace(node, [*new, made, back])
    if len(shape_of(y)) == 3:
        images[back.outputs[0]] = output


def _image_axes(node: ir.Node, graph: ir.Graph) -> ir.Value:
    """The axes of a mean, with rows beside columns."""
    axes = sorted(((0,), (1,), (2, 3))[axis] for axis in _axes(node))
    return add_constant(graph, f"{layer_name(node)}.axes", sum(axes, ()), int)


def _axes(node: ir.Node) -> list[int]:
    return [axis % 3 for axis in ints_of(node, "axes", 1) or ()]


def _with_axis(constant: ir.Value, node: ir.Node, graph: ir.Graph) -> ir.Value:
    """`constant` with an axis of length 1 before its last, if it has two axes or more."""
    shape = shape_of(constant)
    if len(shape) < 2 or constant.const_value is None:
        return constant
    array = constant.const_value.numpy().reshape(*shape[:-1], 1, shape[-1])
    return add_constant(graph, constant.name or layer_name(node), array, array.dtype)


def _attributes(node: ir.Node) -> dict[str, Any]:
    attributes = attributes_of(node)
    if node.op_type in WINDOWED:
        return in_two_axes(attributes)
    if node.op_type == "ReduceMean":
        return {"keepdims": 1}
    if node.op_type == "Concat":
        return {"axis": (0, 1, 3)[attributes["axis"] % 3]}
    return attributes


def _image_shape(node: ir.Node) -> tuple[int, ...]:
    """Shape of what the two-dimensional form makes; a mean keeps its axes there."""
    if node.op_type == "ReduceMean":
        shape = [1 if i in _axes(node) else size for i, size in enumerate(shape_of(input_of(node)))]
        return (shape[0], shape[1], 1, shape[2])
    batch, channels, length = shape_of(node.outputs[0])
    return (batch, channels, 1, length)
