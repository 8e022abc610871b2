"""Builds small float models with trained operators for tests, layer by layer.

    net = TrainedNet(seed=3)
    x = net.conv(net.input("x", (1, 3, 8, 8)), 5)
    y = net.binary_conv(net.binarize(x), 7, pads=(1, 1, 1, 1), pad_value=-1)
    net.output(net.prelu(net.add(y, y)))
    model = net.model()

Every method returns the value that its node makes. Thresholds, scales and biases are random, some scales negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir
from tinsmith.ir.codes import encode
from tinsmith.ir.domain import IR_VERSION, OPSET
from tinsmith.ir.provenance import LAYER, SOURCE
from tinsmith.ir.trained import attach
from tinsmith.ir.trained.binarize import binarize
from tinsmith.ir.trained.binary_conv import binary_conv
from tinsmith.ir.trained.binary_gemm import binary_gemm
from tinsmith.ir.trained.node import sizes
from tinsmith.ir.trained.shift_conv import shift_conv
from tinsmith.ir.trained.shift_gemm import shift_gemm

Array = npt.NDArray[Any]
Window = dict[str, tuple[int, ...]]


class TrainedNet:
    """A float model under construction."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.inputs: list[ir.Value] = []
        self.outputs: list[ir.Value] = []
        self.nodes: list[ir.Node] = []
        self.constants: list[ir.Value] = []

    def input(self, name: str, shape: Sequence[int]) -> ir.Value:
        """A float32 input of the graph."""
        self.inputs.append(ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(ir.DataType.FLOAT)))
        return self.inputs[-1]

    def output(self, value: ir.Value) -> None:
        """Make `value` an output of the graph."""
        self.outputs.append(value)

    def constant(self, array: Array) -> ir.Value:
        """An initializer."""
        name = f"constant_{len(self.constants)}"
        tensor = ir.Tensor(np.ascontiguousarray(array).reshape(array.shape), name=name)
        kind = ir.TensorType(tensor.dtype)
        self.constants.append(ir.Value(name=name, shape=ir.Shape(array.shape), type=kind, const_value=tensor))
        return self.constants[-1]

    def add_node(self, node: ir.Node) -> ir.Value:
        """Name `node` and put it at the end."""
        node.name = f"{node.op_type.lower()}_{len(self.nodes)}"
        node.outputs[0].name = f"{node.name}_out"
        node.metadata_props.update({LAYER: node.name, SOURCE: f"net.py:{len(self.nodes) + 1}"})
        self.nodes.append(node)
        return node.outputs[0]

    def standard(self, op: str, inputs: Sequence[ir.Value], **attributes: Any) -> ir.Value:
        """A node of a standard operator; its shape is inferred by `model`."""
        output = ir.Value(type=ir.TensorType(ir.DataType.FLOAT))
        value = self.add_node(ir.node(op, inputs, attributes, outputs=[output]))
        value.shape = _inferred(value)
        return value

    def numbers(self, *shape: int, low: float = -1.0, high: float = 1.0) -> ir.Value:
        """A random float32 constant."""
        return self.constant(self.rng.uniform(low, high, shape).astype(np.float32))

    def scales(self, channels: int) -> ir.Value:
        """A factor a channel, one in four negative."""
        signs = self.rng.choice([1, 1, 1, -1], channels)
        return self.constant((signs * self.rng.uniform(0.01, 0.2, channels)).astype(np.float32))

    def binarize(self, x: ir.Value, threshold: Array | None = None) -> ir.Value:
        """Thresholds of random size, one a channel (axis 1 of an image, else the last), unless given."""
        shape = sizes(x)
        if threshold is None:
            per_channel = (1, shape[1], *(1,) * (len(shape) - 2)) if len(shape) > 2 else (shape[-1],)
            threshold = self.rng.normal(0, 0.3, per_channel).astype(np.float32)
        return self.add_node(binarize(x, self.constant(threshold)))

    def binary_conv(
        self, x: ir.Value, channels: int, kernel: tuple[int, ...] = (3, 3), *, pad_value: int = 1, **window: Any
    ) -> ir.Value:
        """`window`: strides, pads, dilations."""
        shape = (channels, sizes(x)[1], *kernel)
        w = self.constant(self.rng.choice(np.array([-1, 1], np.int8), shape))
        scale, bias = self.scales(channels), self.numbers(channels)
        return self.add_node(binary_conv(x, w, scale, bias, pad_value=pad_value, **_window(kernel, window)))

    def binary_gemm(self, x: ir.Value, columns: int) -> ir.Value:
        w = self.constant(self.rng.choice(np.array([-1, 1], np.int8), (sizes(x)[-1], columns)))
        return self.add_node(binary_gemm(x, w, self.scales(columns), self.numbers(columns)))

    def codes(self, bits: int, *shape: int) -> ir.Value:
        """Codes of random shift weights, each as likely as the others."""
        magnitude = 2 ** self.rng.integers(0, 2 ** (bits - 1), shape)
        return self.constant(encode(magnitude * self.rng.choice([-1, 1], shape), bits))

    def shift_conv(
        self,
        x: ir.Value,
        channels: int,
        kernel: tuple[int, ...] = (3, 3),
        *,
        bits: int = 3,
        group: int = 1,
        **window: Any,
    ) -> ir.Value:
        """`window`: strides, pads, dilations."""
        codes = self.codes(bits, channels, sizes(x)[1] // group, *kernel)
        scale, bias = self.scales(channels), self.numbers(channels)
        return self.add_node(shift_conv(x, codes, scale, bias, group=group, bits=bits, **_window(kernel, window)))

    def shift_gemm(self, x: ir.Value, columns: int, *, bits: int = 3) -> ir.Value:
        codes = self.codes(bits, sizes(x)[-1], columns)
        return self.add_node(shift_gemm(x, codes, self.scales(columns), self.numbers(columns), bits=bits))

    def conv(
        self, x: ir.Value, channels: int, kernel: tuple[int, ...] = (3, 3), *, group: int = 1, **window: Any
    ) -> ir.Value:
        """An ordinary convolution with bias."""
        shape = (channels, sizes(x)[1] // group, *kernel)
        w, bias = self.numbers(*shape, low=-0.3, high=0.3), self.numbers(channels)
        return self.standard("Conv", [x, w, bias], kernel_shape=kernel, group=group, **_window(kernel, window))

    def gemm(self, x: ir.Value, columns: int) -> ir.Value:
        """An ordinary matrix product with bias, of a matrix."""
        w = self.numbers(sizes(x)[-1], columns, low=-0.3, high=0.3)
        return self.standard("Gemm", [x, w, self.numbers(columns)])

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.standard("Add", [a, b])

    def relu(self, x: ir.Value) -> ir.Value:
        return self.standard("Relu", [x])

    def prelu(self, x: ir.Value) -> ir.Value:
        """One slope a channel."""
        return self.standard("PRelu", [x, self.numbers(sizes(x)[1], *(1,) * (len(sizes(x)) - 2))])

    def max_pool(self, x: ir.Value, kernel: tuple[int, int] = (2, 2), **window: Any) -> ir.Value:
        return self.standard("MaxPool", [x], kernel_shape=kernel, **{"strides": kernel} | window)

    def average_pool(self, x: ir.Value, kernel: tuple[int, int] = (2, 2), **window: Any) -> ir.Value:
        return self.standard("AveragePool", [x], kernel_shape=kernel, **{"strides": kernel} | window)

    def normalize(self, x: ir.Value) -> ir.Value:
        """A BatchNormalization, one in four of its factors negative."""
        channels = sizes(x)[1]
        statistics = [self.numbers(channels), self.numbers(channels), self.numbers(channels, low=0.2)]
        return self.standard("BatchNormalization", [x, self.scales(channels), *statistics])

    def reshape(self, x: ir.Value, *shape: int) -> ir.Value:
        return self.standard("Reshape", [x, self.constant(np.asarray(shape, np.int64))])

    def model(self) -> ir.Model:
        """The model, with function bodies, in stage IMPORTED."""
        graph = ir.Graph(
            self.inputs,
            self.outputs,
            nodes=self.nodes,
            initializers=self.constants,
            opset_imports={"": OPSET},
            name="net",
        )
        model = ir.Model(graph, ir_version=IR_VERSION)
        attach(model)
        return model


def _window(kernel: tuple[int, ...], given: Window) -> Window:
    axes = len(kernel)
    return {"strides": (1,) * axes, "pads": (0,) * (2 * axes), "dilations": (1,) * axes} | given


def _inferred(value: ir.Value) -> ir.Shape:
    """The shape that ONNX infers for the output of a standard node."""
    node = value.producer()
    assert node is not None
    inputs = {v.name: v for v in node.inputs if v is not None}
    known = [v for v in inputs.values() if v.const_value is None]
    proto = onnx.helper.make_graph(
        [ir.serde.serialize_node(node)],
        "one",
        [ir.serde.serialize_value(v) for v in known],
        [onnx.helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, None)],
        [ir.serde.serialize_tensor(v.const_value) for v in inputs.values() if v.const_value is not None],
    )
    model = onnx.helper.make_model(proto, opset_imports=[onnx.helper.make_opsetid("", OPSET)])
    found = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph.output[0]
    return ir.Shape([d.dim_value for d in found.type.tensor_type.shape.dim])
