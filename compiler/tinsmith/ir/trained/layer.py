"""Reads a trained layer's constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.codes import decode
from tinsmith.ir.domain import TRAINED_DOMAIN
from tinsmith.ir.exact import Int16Array

CONVOLUTIONS = ("BinaryConv", "ShiftConv")
PRODUCTS = ("BinaryGemm", "ShiftGemm")
LAYERS = (*CONVOLUTIONS, *PRODUCTS)
"""The operators that have weights."""


@dataclass(frozen=True)
class TrainedLayer:
    """What a BinaryConv, BinaryGemm, ShiftConv or ShiftGemm computes: product(x, weight) * scale + bias.

    Attributes:
        weight: ±1 or ±2**S; (O, I / group, *kernel) of a convolution, (K, N) of a matrix product.
        bits: of a weight: 1, or 2, 3, 4 for powers of two.
        scale: float32, one an output channel.
        bias: float32, one an output channel.
    """

    weight: Int16Array
    bits: int
    scale: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]


def is_trained(node: ir.Node | None, *ops: str) -> bool:
    """Whether `node` is of the domain `ai.tinsmith.trained` and, where `ops` are given, one of these."""
    return node is not None and node.domain == TRAINED_DOMAIN and (not ops or node.op_type in ops)


def read_layer(node: ir.Node) -> TrainedLayer:
    """The constants of one of `LAYERS` that the constraints (constraints/trained.py) let through."""
    stored, scale, bias = (_constant(node, i) for i in (1, 2, 3))
    if node.op_type.startswith("Binary"):
        return TrainedLayer(stored.astype(np.int16), 1, scale, bias)
    bits = node.attributes["bits"].as_int()
    return TrainedLayer(decode(stored, bits), bits, scale, bias)


def _constant(node: ir.Node, i: int) -> npt.NDArray[Any]:
    value = node.inputs[i]
    if value is None or value.const_value is None:
        raise ValueError(f"input {i} of {node.op_type} {node.name!r} is not constant")
    return value.const_value.numpy()
