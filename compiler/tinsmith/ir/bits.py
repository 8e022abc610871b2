"""Which values of a float model are bits, ±1: Binarize makes them, and what only moves values keeps them."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.domain import TRAINED_DOMAIN

BINARY = ("BinaryConv", "BinaryGemm")
"""Operators that read bits."""
SHIFT = ("ShiftConv", "ShiftGemm")
TRAINED = ("Binarize", *BINARY, *SHIFT)
"""The operators of the domain `ai.tinsmith.trained`."""
MOVERS = ("MaxPool", "Concat", "Reshape", "Transpose")
"""Operators that only pick or move values."""


def domain_of(op_type: str) -> str:
    """The domain that an operator of the canonical form belongs to."""
    return TRAINED_DOMAIN if op_type in TRAINED else ""


def flips_signs(node: ir.Node) -> bool:
    """Whether `node` multiplies by a constant of nothing but ±1."""
    factor = node.inputs[1] if node.op_type == "Mul" else None
    return (
        factor is not None and factor.const_value is not None and bool((np.abs(factor.const_value.numpy()) == 1).all())
    )


def is_bit(value: ir.Value | None) -> bool:
    """Whether `value` can hold nothing but ±1, by the operators that make it."""
    node = value.producer() if value is not None else None
    if node is None:
        return False
    if node.op_type in MOVERS:
        return all(is_bit(source) for source in node.inputs if source is not None and not source.is_initializer())
    return node.op_type == "Binarize" or (flips_signs(node) and is_bit(node.inputs[0]))


def keeps_bits(node: ir.Node) -> bool:
    """Whether `node` makes bits of bits."""
    return node.op_type != "Binarize" and is_bit(node.outputs[0])


def reads_bits(node: ir.Node) -> bool:
    """Whether what `node` reads of a Binarize can stay one bit: binary layers, and moves that only these read."""
    return node.op_type in BINARY or (keeps_bits(node) and stays_bits(node.outputs[0]))


def stays_bits(value: ir.Value) -> bool:
    """Whether nothing but binary layers reads the bits `value`, behind moves too."""
    return not value.is_graph_output() and bool(value.uses()) and all(reads_bits(use.node) for use in value.uses())
