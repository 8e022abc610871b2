"""Small canonical float models for tests, built node by node with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from tinsmith.ir.provenance import LAYER, SOURCE

Array = npt.NDArray[Any]


class Canonical:
    """A canonical model under construction: every method adds one node and returns its output value.

    net = Canonical(); x = net.input("x", (1, 3, 8, 8)); net.output(net.op("Relu", net.conv(x, 4), name="act"))
    """

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[ir.Node] = []
        self.inputs: list[ir.Value] = []
        self.outputs: list[ir.Value] = []
        self.initializers: list[ir.Value] = []

    def input(self, name: str, shape: Sequence[int]) -> ir.Value:
        value = ir.Value(name=name, type=ir.TensorType(ir.DataType.FLOAT), shape=ir.Shape(shape))
        self.inputs.append(value)
        return value

    def output(self, *values: ir.Value) -> None:
        self.outputs.extend(values)

    def constant(self, array: Array, name: str) -> ir.Value:
        tensor = ir.tensor(array, name=name)
        value = ir.Value(name=name, type=ir.TensorType(tensor.dtype), shape=ir.Shape(array.shape), const_value=tensor)
        self.initializers.append(value)
        return value

    def op(
        self, kind: str, *inputs: ir.Value, name: str = "", constants: Sequence[Array] = (), **attributes: Any
    ) -> ir.Value:
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        values = [*inputs, *(self.constant(array, f"{name}.c{i}") for i, array in enumerate(constants))]
        node = ir.node(kind, values, attributes, name=name)
        node.metadata_props[LAYER], node.metadata_props[SOURCE] = name, f"net.py:{len(self.nodes) + 1}"
        node.outputs[0].name = f"{name}.out"
        self.nodes.append(node)
        return node.outputs[0]

    def conv(
        self, x: ir.Value, weight: int | Array, *, kernel: int = 3, bias: Array | None = None, name: str = "", **kw: Any
    ) -> ir.Value:
        """`weight` is the array, or the number of output channels of a random one."""
        if isinstance(weight, int):
            channels = x.shape[1] if x.shape is not None else 1
            weight = self.rng.normal(0, 0.3, (weight, channels, kernel, kernel)).astype(np.float32)
        if bias is None:
            bias = self.rng.normal(0, 0.1, len(weight)).astype(np.float32)
        pad = weight.shape[-1] // 2
        kw.setdefault("pads", [pad] * 4)
        y = self.op("Conv", x, name=name, constants=(weight, bias), **kw)
        if "strides" not in kw and x.shape is not None:  # as wide as the input; else shape inference says
            y.shape, y.type = ir.Shape((1, len(weight), *x.shape[2:])), x.type
        return y

    def gemm(self, x: ir.Value, weight: Array, bias: Array, name: str = "") -> ir.Value:
        return self.op("Gemm", x, name=name, constants=(weight, bias))

    def model(self) -> ir.Model:
        """The model with shapes inferred; a fresh copy."""
        import onnx

        graph = ir.Graph(
            self.inputs,
            self.outputs,
            nodes=self.nodes,
            initializers=self.initializers,
            opset_imports={"": 18},
            name="net",
        )
        for value in self.outputs:
            value.type = value.type or ir.TensorType(ir.DataType.FLOAT)
        proto = ir.to_proto(ir.Model(graph, ir_version=10))
        return ir.from_proto(onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True))
