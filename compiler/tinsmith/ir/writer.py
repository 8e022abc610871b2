"""From records to ONNX: the exact graph as a model that stock onnxruntime runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.domain import DOMAIN, IR_VERSION, OPSET, VERSION
from tinsmith.ir.exact import ExactGraph, Tensor
from tinsmith.ir.metadata import annotate
from tinsmith.ir.ops import functions, needed_functions, operator_of
from tinsmith.ir.ops.base import TYPES, WriteContext


def _value(tensor: Tensor) -> ir.Value:
    return ir.Value(name=tensor.name, shape=ir.Shape(tensor.shape), type=ir.TensorType(TYPES[tensor.dtype]))


class _Constants:
    """Makes the graph's initializers, `layer/kind` each, under names that nothing else has."""

    def __init__(self, taken: set[str]) -> None:
        self.values: list[ir.Value] = []
        self._taken = taken

    def make(self, layer: str, kind: str, array: npt.NDArray[Any]) -> ir.Value:
        name = f"{layer}/{kind}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        tensor = ir.Tensor(np.ascontiguousarray(array), name=name)
        value = ir.Value(name=name, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
        self.values.append(value)
        return value


def write_exact(graph: ExactGraph) -> ir.Model:
    """The ONNX model of an exact graph, with every function body that its operators need inside.

    The same graph gives the same bytes: nothing in it names a producer, a time or a path.
    """
    values = {name: _value(tensor) for name, tensor in graph.tensors.items()}
    constants = _Constants(set(values))
    context = WriteContext(graph.tensors, values, constants.make)
    nodes = [operator_of(layer, graph.tensors).write(layer, context) for layer in graph.layers]
    imports = {"": OPSET, DOMAIN: VERSION}
    body = ir.Graph(
        [values[name] for name in graph.inputs],
        [values[name] for name in graph.outputs],
        nodes=nodes,
        initializers=constants.values,
        opset_imports=imports,
        name=graph.name,
    )
    model = ir.Model(body, ir_version=IR_VERSION, functions=functions(needed_functions(node.op_type for node in nodes)))
    annotate(model, graph)
    return model
