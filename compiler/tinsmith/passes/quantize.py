"""Puts QuantizeLinear and DequantizeLinear around every layer (standard QDQ), by a chosen scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import onnx_ir as ir

from tinsmith.calibration_data import FloatArray
from tinsmith.ir.bits import is_bit, reads_bits
from tinsmith.ir.domain import OPSET_16
from tinsmith.ir.ops.base import TYPES
from tinsmith.ir.provenance import LAYER, SOURCE, inherit, layer_name
from tinsmith.ir.stages import Stage
from tinsmith.ir.warnings import warn
from tinsmith.numerics.given import PAIR, given_grid
from tinsmith.numerics.grid import Grid
from tinsmith.numerics.groups import Group
from tinsmith.numerics.scheme import Scheme, channels_first_weight, choose_scheme
from tinsmith.numerics.weights import quantize_weight
from tinsmith.passes.base import Pass
from tinsmith.recipe import Recipe


def quantize(model: ir.Model, samples: Mapping[str, FloatArray] | None, recipe: Recipe | None = None) -> Scheme:
    """Calibrate and quantize a canonical model in place; afterwards it is in stage QUANTIZED.

    Args:
        model: canonical float model.
        samples: from `tinsmith.calibration_data.load_samples`; None where every range follows from the model.
        recipe: what to do to which layer; None is the default recipe.

    Raises:
        TinsmithError: the recipe names no layer, or ranges or biases do not fit; see `choose_scheme`.
    """
    scheme = choose_scheme(model, samples, recipe or Recipe())
    if samples is None:
        _warn_of_bounds(model, scheme)
    for layer, why in scheme.kept:
        warn(model, layer, f"its output stays 8 bit: {why}")
    Quantize(scheme)(model)
    return scheme


class Quantize(Pass):
    """Rewrites a canonical model to QDQ form.

    The integer tensor takes over the name of the float value that it stands for (with `_q` behind it where the graph's
    interface needs the name), so that a tensor is called the same in the float model, the exact graph and the code.
    """

    name: ClassVar[str] = "quantize"
    requires: ClassVar[Stage] = Stage.CANONICAL
    ensures: ClassVar[Stage] = Stage.QUANTIZED

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme

    def run(self, model: ir.Model) -> bool:
        """Quantize inputs, layer outputs and weights; returns whether there was any."""
        graph = model.graph
        names = _Names(graph)
        for node in graph:
            if node.op_type == PAIR[1]:
                _name_given(node, names)
        for group in self._scheme.groups:
            key = group.head.outputs[0].name or ""
            if key in self._scheme.weight_scales:
                _quantize_weight(graph, group.head, self._scheme.weight_scales[key], names)
        _warn_of_ties(model, [group for group in self._scheme.groups if not group.moves and given_grid(group.output)])
        grids = self._scheme.grids
        stored = [group.output for group in self._scheme.groups if (group.output.name or "") in grids]
        for value in (*graph.inputs, *stored):
            grid = grids[value.name or ""]
            if given_grid(value) != grid:
                _quantize_value(graph, value, grid, names)
        if any(grid.dtype == "int16" for grid in grids.values()):
            graph.opset_imports[""] = OPSET_16
        return bool(grids)


def _warn_of_bounds(model: ir.Model, scheme: Scheme) -> None:
    text = "its range is the bound that its weights give, for want of samples: --calibrate gives it finer steps"
    for group in scheme.groups:
        if (group.output.name or "") in scheme.grids and not group.moves and given_grid(group.output) is None:
            warn(model, layer_name(group.head), text)


def _warn_of_ties(model: ir.Model, kept: Sequence[Group]) -> None:
    if kept:
        text = (
            f"{len(kept)} layers, this first, keep grids that the model came with: halves round up here, there to even"
        )
        warn(model, layer_name(kept[0].head), text)


class _Names:
    """Hands out value and node names that the graph does not have yet."""

    def __init__(self, graph: ir.Graph) -> None:
        values = (*graph.inputs, *graph.initializers.values(), *(out for node in graph for out in node.outputs))
        self._taken = {value.name for value in values} | {node.name for node in graph}

    def fresh(self, wanted: str) -> str:
        """`wanted`, with underscores behind it until it is new."""
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted


def _initializer(graph: ir.Graph, name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> ir.Value:
    tensor = ir.tensor(array.copy(order="C"), name=name)
    value = ir.Value(name=name, type=ir.TensorType(tensor.dtype), shape=ir.Shape(array.shape), const_value=tensor)
    graph.register_initializer(value)
    return value


def _quantize_value(graph: ir.Graph, value: ir.Value, grid: Grid, names: _Names) -> None:
    """value → QuantizeLinear → DequantizeLinear → its former uses, but for those that read it as bits."""
    base = value.name or ""
    scale = _initializer(graph, names.fresh(f"{base}_scale"), np.array(grid.scale, np.float32))
    zero = _initializer(graph, names.fresh(f"{base}_zero_point"), np.array(grid.zero_point, grid.dtype))
    uses = [use for use in value.uses() if not (is_bit(value) and reads_bits(use.node))]
    to_integer = ir.node("QuantizeLinear", [value, scale, zero])
    stored = to_integer.outputs[0]
    stored.type, stored.shape = ir.TensorType(TYPES[grid.dtype]), value.shape
    to_float = ir.node("DequantizeLinear", [stored, scale, zero])
    real = to_float.outputs[0]
    real.type, real.shape = ir.TensorType(ir.DataType.FLOAT), value.shape
    producer = value.producer()
    for node, part in ((to_integer, "quantize"), (to_float, "dequantize")):
        if producer is None:
            node.name = node.metadata_props[LAYER] = names.fresh(f"{base}/{part}")
            node.metadata_props[SOURCE] = f"input {base}"
        else:
            inherit(node, producer, part=part)
    if producer is None:
        graph.insert_before(graph[0], [to_integer, to_float])
    else:
        graph.insert_after(producer, [to_integer, to_float])
    for node, index in uses:
        node.replace_input_with(index, real)
    _name_values(graph, value, stored, real, names)


def _name_given(to_float: ir.Node, names: _Names) -> None:
    """Gives the 8-bit tensor of a pair that the model brought along the name of the value that it stands for."""
    stored, real = to_float.inputs[0], to_float.outputs[0]
    if stored is None:
        raise ValueError(f"{to_float.name!r} dequantizes nothing")
    base = real.name or ""
    if real.is_graph_output():
        stored.name = names.fresh(f"{base}_q")
    else:
        stored.name, real.name = base, names.fresh(f"{base}_dq")


def _name_values(graph: ir.Graph, value: ir.Value, stored: ir.Value, real: ir.Value, names: _Names) -> None:
    """Gives the 8-bit tensor the float value's name, unless graph inputs or outputs, or bits, need that name."""
    base = value.name or ""
    if value.is_graph_input() or (is_bit(value) and not value.is_graph_output()):
        stored.name, real.name = names.fresh(f"{base}_q"), names.fresh(f"{base}_dq")
        return
    value.name = names.fresh(f"{base}_float")
    if not value.is_graph_output():
        stored.name, real.name = base, names.fresh(f"{base}_dq")
        return
    stored.name, real.name = names.fresh(f"{base}_q"), base
    graph.outputs[:] = [real if output is value else output for output in graph.outputs]


def _quantize_weight(graph: ir.Graph, head: ir.Node, scales: FloatArray, names: _Names) -> None:
    """Replaces the float weight of a Conv or Gemm by int8 and DequantizeLinear along the output channels."""
    old = head.inputs[1]
    if old is None:
        raise ValueError(f"{head.op_type} {head.name!r} has no weight")
    weight, _ = channels_first_weight(head)
    stored = quantize_weight(weight, scales)
    if head.op_type == "Gemm":
        stored = stored.T
    base = old.name or head.name or "weight"
    inputs = [
        _initializer(graph, names.fresh(f"{base}_q"), stored),
        _initializer(graph, names.fresh(f"{base}_scale"), scales),
        _initializer(graph, names.fresh(f"{base}_zero_point"), np.zeros(len(scales), np.int8)),
    ]
    axis = 1 if head.op_type == "Gemm" else 0
    to_float = ir.node("DequantizeLinear", inputs, {"axis": axis})
    real = to_float.outputs[0]
    real.name, real.type, real.shape = names.fresh(f"{base}_dq"), ir.TensorType(ir.DataType.FLOAT), old.shape
    inherit(to_float, head, part="weight")
    graph.insert_before(head, [to_float])
    head.replace_input_with(1, real)
    if not old.uses() and not old.is_graph_output():
        del graph.initializers[old.name or ""]
