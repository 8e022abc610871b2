"""Lowers the borders of the graph: Quantize at its inputs; Dequantize, Softmax and ArgMax at its outputs."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.errors import TinsmithError
from tinsmith.ir import exact
from tinsmith.ir.provenance import layer_name, source
from tinsmith.numerics.softmax import exponentials
from tinsmith.passes.lowering.builder import Builder, fields, place
from tinsmith.passes.lowering.qdq import Group, shape_of, stored_name


def lower_quantize(builder: Builder, group: Group, value: ir.Value) -> None:
    """QuantizeLinear of a graph input."""
    builder.add(exact.Quantize(**fields(group, value.name or "")), group.output)


def _output_fields(node: ir.Node, value: ir.Value, x: str) -> dict[str, str | tuple[str, ...]]:
    return {"name": layer_name(node), "source": source(node), "inputs": (x,), "output": value.name or ""}


def lower_dequantize(builder: Builder, node: ir.Node) -> None:
    """DequantizeLinear whose result is a graph output."""
    value, x = node.outputs[0], node.inputs[0]
    layer = exact.Dequantize(**_output_fields(node, value, x.name or "" if x else ""))  # type: ignore[arg-type]
    builder.add(layer, exact.Tensor(layer.output, shape_of(value), "float32"))


def lower_softmax(builder: Builder, node: ir.Node) -> None:
    """Softmax along the last axis."""
    value, x = node.outputs[0], builder.tensors[stored_name(node.inputs[0])]
    try:
        table = exponentials(x.scale, x.shape[-1], place(layer_name(node), source(node), "Softmax"))
    except TinsmithError as error:
        builder.problems.found.extend(error.problems)
        return
    layer = exact.Softmax(**_output_fields(node, value, x.name), table=table)  # type: ignore[arg-type]
    builder.add(layer, exact.Tensor(layer.output, shape_of(value), "float32"))


def lower_arg_max(builder: Builder, node: ir.Node) -> None:
    """ArgMax along the last axis."""
    value = node.outputs[0]
    layer = exact.ArgMax(**_output_fields(node, value, stored_name(node.inputs[0])))  # type: ignore[arg-type]
    builder.add(layer, exact.Tensor(layer.output, shape_of(value), "int64"))
