"""Rules of stage CANONICAL: floating point, few operators, everything explicit."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from tinsmith.ir.bits import BINARY, domain_of, is_bit
from tinsmith.ir.domain import CURVE_DOMAIN
from tinsmith.ir.rules.sound import Findings, Rule, place

CONSTANT_INPUTS: Mapping[str, tuple[int, ...]] = {
    "Conv": (1, 2),
    "Gemm": (1, 2),
    "Relu": (),
    "Clip": (1, 2),
    "PRelu": (1,),
    "MaxPool": (),
    "AveragePool": (),
    "Add": (),
    "Mul": (),
    "Abs": (),
    "ReduceMean": (1,),
    "Concat": (),
    "Reshape": (1,),
    "Transpose": (),
    "Softmax": (),
    "ArgMax": (),
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "Binarize": (1,),
    "BinaryConv": (1, 2, 3),
    "BinaryGemm": (1, 2, 3),
    "ShiftConv": (1, 2, 3),
    "ShiftGemm": (1, 2, 3),
}
"""Every canonical operator, and which of its inputs are constants."""
EITHER = ("Add", "Mul")
"""Operators whose second input is computed or a constant."""
ENDS = ("Softmax", "ArgMax")
_MAKES = {
    "ArgMax": (ir.DataType.INT64,),
    "QuantizeLinear": (ir.DataType.UINT8, ir.DataType.INT8, ir.DataType.INT16),
}
_WINDOWS = ("Conv", "BinaryConv", "ShiftConv", "MaxPool", "AveragePool")


def operators_are_canonical(model: ir.Model) -> Findings:
    """Every node is one of the canonical operators, standard or trained, or calls a curve, with one output."""
    for node in model.graph:
        if not _is_canonical(node, model):
            yield place(node), f"operator {node.domain or 'ai.onnx'}:{node.op_type} is not canonical"
        elif len(node.outputs) != 1:
            yield place(node), f"it has {len(node.outputs)} outputs"


def _is_canonical(node: ir.Node, model: ir.Model) -> bool:
    if node.domain == CURVE_DOMAIN:
        return node.op_identifier() in model.functions and len(node.inputs) == 1
    return node.op_type in CONSTANT_INPUTS and node.domain == domain_of(node.op_type)


def shapes_are_static(model: ir.Model) -> Findings:
    """Every value has a static shape without zeros."""
    for value in (*model.graph.inputs, *(v for node in model.graph for v in node.outputs)):
        shape = value.shape
        if shape is None or not shape.is_static() or 0 in shape.numpy():
            yield f"value {value.name!r}", f"its shape is {shape}"


def values_are_float(model: ir.Model) -> Findings:
    """Every value is float32, but for the indices that ArgMax makes, and what DequantizeLinear alone reads."""
    for node in model.graph:
        wanted = _MAKES.get(node.op_type, (ir.DataType.FLOAT,))
        if node.outputs[0].dtype not in wanted:
            yield place(node), f"its output is {node.outputs[0].dtype}, not {' or '.join(map(str, wanted))}"
    for value in model.graph.inputs:
        if value.dtype != ir.DataType.FLOAT:
            yield f"input {value.name!r}", f"it is {value.dtype}, not {ir.DataType.FLOAT}"


def parameters_are_constants(model: ir.Model) -> Findings:
    """Weights, biases, bounds and shapes are initializers; every other input is a value that is computed or given."""
    for node in model.graph:
        wanted = CONSTANT_INPUTS.get(node.op_type, ())
        if node.op_type in ("Conv", "Gemm") and len(node.inputs) != 3:
            yield place(node), "it has no bias"
        for index, value in enumerate(node.inputs):
            if index == 1 and node.op_type in EITHER:
                continue
            if value is not None and (index in wanted) != (value.const_value is not None):
                yield place(node), f"input {index} is {'no' if index in wanted else 'a'} constant"


def windows_are_explicit(model: ir.Model) -> Findings:
    """Convolutions and pools are 2-D, have pads in numbers, and an average counts its padding or has none."""
    for node in model.graph:
        if node.op_type not in _WINDOWS:
            continue
        x = node.inputs[0]
        if x is None or x.shape is None or len(x.shape) != 4:
            yield place(node), "its input has not four dimensions"
        pads = node.attributes.get_ints("pads", ())
        if len(pads) not in (0, 4) or node.attributes.get_string("auto_pad", "NOTSET") != "NOTSET":
            yield place(node), "its pads are not four numbers"
        if node.attributes.get_int("ceil_mode", 0):
            yield place(node), "it rounds its size up (ceil_mode)"
        if node.op_type == "AveragePool" and any(pads) and not node.attributes.get_int("count_include_pad", 0):
            yield place(node), "it divides by a count that leaves padding out"


def gemm_is_plain(model: ir.Model) -> Findings:
    """Gemm is x @ w + b: no transposition, alpha and beta 1."""
    for node in model.graph:
        if node.op_type != "Gemm":
            continue
        flags = [name for name in ("transA", "transB") if node.attributes.get_int(name, 0)]
        flags += [name for name in ("alpha", "beta") if node.attributes.get_float(name, 1.0) != 1.0]
        if flags:
            yield place(node), f"it has {', '.join(flags)}"


def results_have_the_first_shape(model: ir.Model) -> Findings:
    """Add and Mul keep the shape of their first input; two values that Add adds have one shape."""
    for node in model.graph:
        if node.op_type not in EITHER or None in node.inputs:
            continue
        x, other, y = node.inputs[0], node.inputs[1], node.outputs[0]
        one = node.op_type == "Add" and other is not None and other.const_value is None
        shapes = [tuple(v.shape or ()) for v in (x, y, *([other] if one else [])) if v is not None]
        if len(set(shapes)) != 1:
            yield place(node), f"it has shapes {shapes}"


def binary_layers_read_bits(model: ir.Model) -> Findings:
    """BinaryConv and BinaryGemm read what a Binarize makes."""
    for node in model.graph:
        if node.op_type in BINARY and not is_bit(node.inputs[0]):
            yield place(node), "its input is not ±1"


def grids_are_pairs(model: ir.Model) -> Findings:
    """What QuantizeLinear makes is read by one DequantizeLinear, which has the same scale and zero point."""
    for node in model.graph:
        if node.op_type == "DequantizeLinear":
            stored = node.inputs[0]
            made = stored.producer() if stored is not None else None
            if made is None or made.op_type != "QuantizeLinear" or stored is None or len(stored.uses()) != 1:
                yield place(node), "it does not read a QuantizeLinear, alone"
            elif any(not _equal(a, b) for a, b in zip(made.inputs[1:], node.inputs[1:], strict=False)):
                yield place(node), "it has another grid than the QuantizeLinear before it"


def _equal(a: ir.Value | None, b: ir.Value | None) -> bool:
    arrays = [v.const_value.numpy() for v in (a, b) if v is not None and v.const_value is not None]
    return len(arrays) == 2 and arrays[0].dtype == arrays[1].dtype and bool((arrays[0] == arrays[1]).all())


def classifiers_end_the_graph(model: ir.Model) -> Findings:
    """Softmax and ArgMax work along the last axis and make graph outputs that nothing else reads."""
    for node in model.graph:
        if node.op_type not in ENDS:
            continue
        rank = len(node.inputs[0].shape or ()) if node.inputs[0] is not None else 0
        axis = node.attributes.get_int("axis", -1 if node.op_type == "Softmax" else 0)
        if axis not in (-1, rank - 1):
            yield place(node), f"its axis is {axis} of {rank}"
        if not node.outputs[0].is_graph_output() or node.outputs[0].uses():
            yield place(node), "its output is not just a graph output"


CANONICAL: tuple[Rule, ...] = (
    operators_are_canonical,
    shapes_are_static,
    values_are_float,
    parameters_are_constants,
    windows_are_explicit,
    gemm_is_plain,
    results_have_the_first_shape,
    binary_layers_read_bits,
    grids_are_pairs,
    classifiers_end_the_graph,
)
