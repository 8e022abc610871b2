"""Reading QDQ form: quantization parameters, constants, and the group of nodes that ends in a QuantizeLinear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.exact import DType, Tensor
from tinsmith.ir.ops.base import LIMITS
from tinsmith.ir.provenance import layer_name, source

ACTIVATIONS = ("Relu", "Clip")


def constant(value: ir.Value | None) -> npt.NDArray[Any]:
    """The array of an initializer."""
    if value is None or value.const_value is None:
        raise ValueError(f"{value.name if value else 'a missing input'!r} is no constant")
    return value.const_value.numpy()


def shape_of(value: ir.Value) -> tuple[int, ...]:
    """The static shape of a value."""
    if value.shape is None:
        raise ValueError(f"{value.name!r} has no shape")
    return tuple(int(n) for n in value.shape.numpy())


def producer(value: ir.Value | None, *op_types: str) -> ir.Node | None:
    """The node that makes `value`, if it is one of `op_types`."""
    node = value.producer() if value is not None else None
    return node if node is not None and node.op_type in op_types else None


def stored_tensor(node: ir.Node) -> Tensor:
    """The 8-bit tensor that a QuantizeLinear makes, with the whole range of its type."""
    scale = float(np.float32(constant(node.inputs[1])))
    zero = constant(node.inputs[2])
    dtype: DType = "uint8" if zero.dtype == np.uint8 else "int8"
    value = node.outputs[0]
    return Tensor(value.name or "", shape_of(value), dtype, scale, int(zero), *LIMITS[dtype])


def stored_name(value: ir.Value | None) -> str:
    """Name of the 8-bit tensor behind a float value that a DequantizeLinear makes."""
    node = producer(value, "DequantizeLinear")
    if node is None or node.inputs[0] is None:
        raise ValueError(f"{value.name if value else 'a missing input'!r} is not dequantized")
    return node.inputs[0].name or ""


@dataclass(frozen=True)
class Group:
    """What becomes one layer: a head, the activation behind it if there is one, and the QuantizeLinear at its end.

    `head` is None where a value is quantized that nothing computes: a graph input, or a tensor under another grid.
    """

    head: ir.Node | None
    activation: ir.Node | None
    end: ir.Node

    @property
    def name(self) -> str:
        """The layer's name: the head's."""
        return layer_name(self.head or self.activation or self.end)

    @property
    def source(self) -> str:
        """Where the layer came from: the head's place and the activation's."""
        nodes = [node for node in (self.head, self.activation) if node is not None] or [self.end]
        return ", ".join(dict.fromkeys(place for node in nodes for place in source(node).split(", ") if place))

    @property
    def output(self) -> Tensor:
        """The 8-bit tensor that the group makes."""
        return stored_tensor(self.end)

    def clamp(self) -> tuple[int, int]:
        """[lo, hi] of the stored output: its type's limits, narrowed by the activation."""
        y, node = self.output, self.activation
        lo, hi = y.lo, y.hi
        if node is not None and node.op_type == "Relu":
            lo = max(lo, y.zero_point)
        elif node is not None:
            lo, hi = _clipped(node, y)
        return lo, max(lo, hi)


def _clipped(node: ir.Node, y: Tensor) -> tuple[int, int]:
    limits = []
    for index, missing in ((1, y.lo), (2, y.hi)):
        value = node.inputs[index] if index < len(node.inputs) else None
        if value is None:
            limits.append(missing)
        else:  # rounded as QuantizeLinear rounds, so that clamping integers is quantizing what was clipped
            steps = np.rint(constant(value).astype(np.float32).reshape(()) / np.float32(y.scale))
            limits.append(int(np.clip(steps + y.zero_point, y.lo, y.hi)))
    return limits[0], limits[1]


def group_of(end: ir.Node) -> Group:
    """The group that a QuantizeLinear ends."""
    value = end.inputs[0]
    activation = producer(value, *ACTIVATIONS)
    if activation is not None:
        value = activation.inputs[0]
    node = value.producer() if value is not None else None
    head = None if node is None or node.op_type == "DequantizeLinear" else node
    return Group(head, activation, end)
