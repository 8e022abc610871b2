"""Reads layers with weights: integer weights, and what one step of each channel's sum is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.trained import is_trained, read_layer
from tinsmith.numerics.thresholds import Reals
from tinsmith.passes.lowering.builder import fields
from tinsmith.passes.lowering.qdq import Group, constant, per_channel, producer, stored_name

Make = Callable[[exact.Int32Array, exact.Ending], exact.Layer]


@dataclass(frozen=True)
class Products:
    """sum(x * weight) * unit + bias, with one unit and bias a channel.

    Attributes:
        x: the 8-bit or 1-bit input.
        weight: integers, as the record holds them; a channel whose unit would be negative has its signs turned.
        rows: (C, terms) the same weights.
        unit: (C,) real, not negative: scale of x times scale of the weights, exactly.
        bias: (C,) real.
        trained: whether the weights are as training left them, so that the units cannot be chosen.
        make: the record with an integer bias and an ending.
    """

    x: exact.Tensor
    weight: npt.NDArray[Any]
    rows: npt.NDArray[Any]
    unit: Reals
    bias: Reals
    trained: bool
    make: Make


def read_products(tensors: dict[str, exact.Tensor], group: Group, node: ir.Node) -> Products:
    """What a Conv, Gemm or trained layer computes."""
    x = tensors[stored_name(node.inputs[0])]
    windowed = node.op_type.endswith("Conv")
    weight, scale, bias = _trained(node) if is_trained(node) else _dequantized(node, 0 if windowed else 1)
    # Scales are binary32, so their products are exact in binary64.
    unit = x.scale * scale
    turned = np.where(unit < 0, -1, 1).astype(weight.dtype)
    weight = weight * (turned.reshape(-1, 1, 1, 1) if windowed else turned)
    rows = weight.reshape(len(weight), -1) if windowed else weight.T
    make = _maker(node, group, x.name, weight)
    return Products(x, weight, rows, np.abs(unit), bias, is_trained(node), make)


def _dequantized(node: ir.Node, axis: int) -> tuple[exact.Int8Array, Reals, Reals]:
    """Weight, scales and bias of a Conv or Gemm; `axis` is the weight's axis of output channels."""
    dequantize = producer(node.inputs[1], "DequantizeLinear")
    if dequantize is None:
        raise ValueError(f"the weight of {node.name!r} is not dequantized")
    weight = constant(dequantize.inputs[0])
    channels = weight.shape[axis]
    return weight, per_channel(dequantize.inputs[1], channels), per_channel(node.inputs[2], channels)


def _trained(node: ir.Node) -> tuple[npt.NDArray[Any], Reals, Reals]:
    layer = read_layer(node)
    weight = layer.weight.astype(np.int8) if layer.bits == 1 else layer.weight
    return weight, layer.scale.astype(np.float64), layer.bias.astype(np.float64)


def _maker(node: ir.Node, group: Group, x: str, weight: npt.NDArray[Any]) -> Make:
    """The record of `node` but for bias and ending."""
    given: dict[str, Any] = {**fields(group, x), "weight": weight}
    attributes = node.attributes
    if node.op_type.endswith("Conv"):
        given["strides"] = tuple(attributes.get_ints("strides", (1, 1)))
        given["dilations"] = tuple(attributes.get_ints("dilations", (1, 1)))
        given["pads"] = tuple(attributes.get_ints("pads", (0, 0, 0, 0)))
    if node.op_type in ("Conv", "ShiftConv"):
        given["group"] = attributes.get_int("group", 1)
    if node.op_type == "BinaryConv":
        given["pad_value"] = attributes.get_int("pad_value", 0)
    if node.op_type.startswith("Shift"):
        given["bits"] = attributes.get_int("bits", 0)
    record: Callable[..., exact.Layer] = RECORDS[node.op_type]
    return lambda bias, ending: record(**given, bias=bias, ending=ending)


RECORDS: dict[str, type[exact.Layer]] = {
    "Conv": exact.Conv,
    "Gemm": exact.MatMul,
    "BinaryConv": exact.BinaryConv,
    "BinaryGemm": exact.BinaryMatMul,
    "ShiftConv": exact.ShiftConv,
    "ShiftGemm": exact.ShiftMatMul,
}
"""The record of each operator with weights."""
