"""Lowers layers that put out their accumulators: the sum as it is, and one product with its scale at the output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.accumulators import LAYERS
from tinsmith.ir.provenance import layer_name, source
from tinsmith.passes.lowering.builder import Builder, fields, place
from tinsmith.passes.lowering.products import read_products
from tinsmith.passes.lowering.qdq import Group, shape_of
from tinsmith.passes.lowering.weighted import bias_steps


def lower_accumulator(builder: Builder, node: ir.Node) -> None:
    """Conv or Gemm at the end of the graph, or a Reshape behind one; with a Dequantize where the graph's output is."""
    y = node.outputs[0]
    group = Group((node,), node)
    output = replace(group.output, name=_integer_name(node.graph, y) if y.is_graph_output() else group.output.name)
    if node.op_type in LAYERS:
        _lower_sums(builder, group, output)
    else:
        x = builder.tensors[(node.inputs[0].name if node.inputs[0] else None) or ""]
        layer = exact.Reshape(**{**fields(group, x.name), "output": output.name})
        builder.add(layer, replace(output, scale=x.scale))
    if y.is_graph_output():
        last = exact.Dequantize(
            name=f"{layer_name(node)}/dequantize", source=source(node), inputs=(output.name,), output=y.name or ""
        )
        builder.add(last, exact.Tensor(last.output, shape_of(y), "float32"))


def _lower_sums(builder: Builder, group: Group, output: exact.Tensor) -> None:
    node = group.nodes[0]
    where = place(group.name, group.source, node.op_type)
    products = read_products(builder.tensors, group, node)
    steps = np.unique(products.unit)
    if len(steps) > 1:
        raise ValueError(f"the channels of {where} have {len(steps)} scales, its result has one")
    scale = np.float32(steps[0])
    if not 0 < scale < np.inf:
        why = "the scale of its input times that of its weights is no binary32 number"
        builder.problems.add(f"its sums count steps of {steps[0]:g}", where=where, why=why, fix="scale its weights")
        scale = np.float32(1)
    layer = products.make(bias_steps(builder, products.bias, products.unit, where), exact.Accumulator())
    builder.add(replace(layer, output=output.name), replace(output, scale=float(scale)))


def _integer_name(graph: ir.Graph | ir.Function | None, value: ir.Value) -> str:
    """A name that no value has, for the integers behind a graph output; as the quantize pass names 8-bit ones."""
    taken = {v.name for node in graph or () for v in (*node.inputs, *node.outputs) if v is not None}
    name = f"{value.name}_q"
    while name in taken:
        name += "_"
    return name
