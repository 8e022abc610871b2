"""Rules of stage QUANTIZED: standard QDQ, one pair at the end of every group."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.accumulators import is_accumulator
from tinsmith.ir.bits import MOVERS, is_bit, reads_bits
from tinsmith.ir.rules.canonical import (
    CONSTANT_INPUTS,
    ENDS,
    operators_are_canonical,
    shapes_are_static,
    windows_are_explicit,
)
from tinsmith.ir.rules.sound import Findings, Rule, place
from tinsmith.numerics.roles import only_reader

PAIR = ("QuantizeLinear", "DequantizeLinear")
_FOLLOWERS = ("Relu", "Clip", "ReduceMean", "Add", "Mul", "PRelu", "Binarize")
"""Operators that may stand behind another in one layer."""


def _op(value: ir.Value | None) -> str:
    node = value.producer() if value is not None else None
    return node.op_type if node is not None else ""


def grids_are_constants(model: ir.Model) -> Findings:
    """Scales and zero points are initializers, scales positive and finite; an activation has one of each."""
    for node in model.graph:
        if node.op_type not in PAIR:
            continue
        constants = [v.const_value for v in node.inputs[1:] if v is not None]
        if len(constants) != 2 or any(c is None for c in constants):
            yield place(node), "its scale or zero point is no constant"
            continue
        scale, zero = (c.numpy() for c in constants if c is not None)
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            yield place(node), "a scale is not positive and finite"
        stored = node.inputs[0] if node.op_type == "DequantizeLinear" else None
        if (stored is None or stored.const_value is None) and (scale.ndim or zero.ndim):
            yield place(node), "an activation has more than one scale"


def inputs_are_dequantized(model: ir.Model) -> Findings:
    """An operator reads dequantized values or bits, or the result of the operator that it is fused with.

    A Reshape at the end of the graph may read accumulators.
    """
    for node in model.graph:
        if node.op_type in PAIR or (node.op_type == "Reshape" and is_accumulator(node.inputs[0])):
            continue
        constants = CONSTANT_INPUTS.get(node.op_type, ())
        for index, value in enumerate(node.inputs):
            if value is None or index in constants or (index == 1 and value.const_value is not None):
                continue
            fused = index == 0 and node.op_type in _FOLLOWERS and _op(value) and only_reader(value) is node
            if _op(value) != "DequantizeLinear" and not fused and not (is_bit(value) and reads_bits(node)):
                yield place(node), f"input {index} is not dequantized"


def results_are_quantized(model: ir.Model) -> Findings:
    """A QuantizeLinear or what is fused is all that reads a result that is no bits.

    Classifiers, and layers that put out their accumulators, end the graph.
    """
    for node in model.graph:
        value = node.outputs[0]
        if node.op_type in PAIR or is_accumulator(value):
            continue
        readers = [use.node.op_type for use in value.uses()]
        if node.op_type in ENDS:
            if not value.is_graph_output() or readers:
                yield place(node), "its output is not just a graph output"
        elif is_bit(value):
            if not all(use.node.op_type == "QuantizeLinear" or reads_bits(use.node) for use in value.uses()):
                yield place(node), "its bits are read by what reads no bits"
        elif value.is_graph_output() or len(readers) != 1 or readers[0] not in ("QuantizeLinear", *_FOLLOWERS):
            yield place(node), "its result is not quantized once"


def weights_are_int8(model: ir.Model) -> Findings:
    """Conv and Gemm read int8 weights in [-127, 127], dequantized with zero point 0."""
    for node in model.graph:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        value = node.inputs[1]
        dequantize = value.producer() if value is not None else None
        arrays = [v.const_value.numpy() for v in dequantize.inputs if v and v.const_value] if dequantize else []
        if len(arrays) != 3:
            yield place(node), "its weight is not a dequantized constant"
        elif arrays[0].dtype != np.int8 or arrays[0].min(initial=0) < -127 or arrays[2].any():
            yield place(node), "its weight is not int8 in [-127, 127] with zero point 0"


def moves_keep_the_grid(model: ir.Model) -> Findings:
    """What moves values has one scale and zero point on all sides."""
    for node in model.graph:
        if node.op_type not in MOVERS or is_bit(node.outputs[0]) or is_accumulator(node.outputs[0]):
            continue
        inputs = [v.producer() for i, v in enumerate(node.inputs) if v and i not in CONSTANT_INPUTS[node.op_type]]
        grids = {_grid(n) for n in (*inputs, *(use.node for use in node.outputs[0].uses())) if n is not None}
        if len(grids) != 1:
            yield place(node), f"its inputs and output have {len(grids)} grids"


def _grid(node: ir.Node) -> tuple[object, ...]:
    constants = [v.const_value.numpy() for v in node.inputs[1:] if v is not None and v.const_value is not None]
    return tuple((c.dtype.name, c.tobytes()) for c in constants)


QUANTIZED: tuple[Rule, ...] = (
    operators_are_canonical,
    shapes_are_static,
    windows_are_explicit,
    grids_are_constants,
    inputs_are_dequantized,
    results_are_quantized,
    weights_are_int8,
    moves_keep_the_grid,
)
