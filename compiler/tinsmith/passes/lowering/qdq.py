"""Reading QDQ form: quantization parameters, constants, and the group of nodes that becomes one layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.bits import is_bit
from tinsmith.ir.exact import Tensor, bit_tensor
from tinsmith.ir.provenance import layer_name, source
from tinsmith.numerics.given import grid_of
from tinsmith.numerics.roles import ACTIVATIONS


def constant(value: ir.Value | None) -> npt.NDArray[Any]:
    """The array of an initializer."""
    if value is None or value.const_value is None:
        raise ValueError(f"{value.name if value else 'a missing input'!r} is no constant")
    return value.const_value.numpy()


def per_channel(value: ir.Value | None, channels: int) -> npt.NDArray[np.float64]:
    """An initializer of one number a channel, or of one number, as (channels,)."""
    return np.broadcast_to(constant(value).astype(np.float64).reshape(-1), (channels,))


def shape_of(value: ir.Value | None) -> tuple[int, ...]:
    """The static shape of a value."""
    if value is None or value.shape is None:
        raise ValueError(f"{value.name if value else 'a missing input'!r} has no shape")
    return tuple(int(n) for n in value.shape.numpy())


def producer(value: ir.Value | None, *op_types: str) -> ir.Node | None:
    """The node that makes `value`, if it is one of `op_types`."""
    node = value.producer() if value is not None else None
    return node if node is not None and node.op_type in op_types else None


def stored_tensor(node: ir.Node) -> Tensor:
    """The tensor of 8 or 16 bits that a QuantizeLinear makes, with the whole range of its type."""
    value, grid = node.outputs[0], grid_of(node)
    limits = grid.stored_limits
    return Tensor(value.name or "", shape_of(value), grid.dtype, grid.scale, grid.zero_point, *limits, grid.bits)


def stored_name(value: ir.Value | None) -> str:
    """Name of the exact tensor behind a float value: bits, or the 8-bit tensor that a DequantizeLinear reads."""
    if value is not None and is_bit(value):
        return value.name or ""
    node = producer(value, "DequantizeLinear")
    if node is None or node.inputs[0] is None:
        raise ValueError(f"{value.name if value else 'a missing input'!r} is not dequantized")
    return node.inputs[0].name or ""


@dataclass(frozen=True)
class Group:
    """What becomes one layer: nodes in a chain, of which the first computes, and the QuantizeLinear behind them.

    Where bits or accumulators come out there is no QuantizeLinear, and `end` is the last of the nodes. There are no
    nodes, or nothing but an activation, where a value is quantized that nothing computes: a graph input, or a tensor
    under another grid.
    """

    nodes: tuple[ir.Node, ...]
    end: ir.Node

    @property
    def head(self) -> ir.Node | None:
        """The node that computes."""
        return self.nodes[0] if self.nodes and self.nodes[0].op_type not in ACTIVATIONS else None

    @property
    def activation(self) -> ir.Node | None:
        """The activation at the end of the chain."""
        return self.nodes[-1] if self.nodes and self.nodes[-1].op_type in ACTIVATIONS else None

    @property
    def makes_bits(self) -> bool:
        """Whether bits come out."""
        return self.end.op_type != "QuantizeLinear" and is_bit(self.end.outputs[0])

    @property
    def name(self) -> str:
        """The layer's name: the head's; with `/8bit` behind it for the second form of what also makes bits."""
        first = (*self.nodes, self.end)[0]
        twin = first.op_type == "Binarize" and not self.makes_bits and len(first.outputs[0].uses()) > 1
        return layer_name(first) + ("/8bit" if twin else "")

    @property
    def source(self) -> str:
        """Where the layer came from: the places of all its nodes, the head's first."""
        nodes = self.nodes or (self.end,)
        return ", ".join(dict.fromkeys(place for node in nodes for place in source(node).split(", ") if place))

    @property
    def output(self) -> Tensor:
        """The tensor that the group makes: bits, 8-bit values over the whole range of their type, or accumulators.

        Accumulators have no scale yet.
        """
        value = self.end.outputs[0]
        if self.makes_bits:
            return bit_tensor(value.name or "", shape_of(value))
        if self.end.op_type != "QuantizeLinear":
            return Tensor(value.name or "", shape_of(value), "int32")
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
    """The group that a QuantizeLinear or a Binarize ends."""
    nodes = [] if end.op_type == "QuantizeLinear" else [end]
    value = end.inputs[0]
    while value is not None and not (nodes and is_bit(value)):
        node = value.producer()
        if node is None or node.op_type == "DequantizeLinear":
            break
        nodes.insert(0, node)
        value = node.inputs[0]
    return Group(tuple(nodes), end)
