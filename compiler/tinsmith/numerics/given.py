"""Grids that a model brings along: QuantizeLinear and DequantizeLinear pairs in its canonical form."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.numerics.grid import Grid

PAIR = ("QuantizeLinear", "DequantizeLinear")


def grid_of(node: ir.Node) -> Grid:
    """The grid of a QuantizeLinear or DequantizeLinear."""
    scale, zero = (v.const_value.numpy() for v in node.inputs[1:] if v is not None and v.const_value is not None)
    return Grid(float(scale.reshape(())), int(zero.reshape(())), zero.dtype.name)  # type: ignore[arg-type]


def given_grid(value: ir.Value) -> Grid | None:
    """The grid of `value` where all that reads it is one QuantizeLinear."""
    uses = list(value.uses())
    own = len(uses) == 1 and uses[0].node.op_type == PAIR[0] and not value.is_graph_output()
    return grid_of(uses[0].node) if own else None


def before_pair(value: ir.Value) -> ir.Value:
    """The value that was quantized to make `value`; `value` itself where none was."""
    node = value.producer()
    if node is None or node.op_type != PAIR[1] or node.inputs[0] is None:
        return value
    quantizer = node.inputs[0].producer()
    return value if quantizer is None or quantizer.inputs[0] is None else quantizer.inputs[0]


def dequantized_grid(value: ir.Value) -> Grid | None:
    """The grid that a DequantizeLinear gives `value`; None where it makes none."""
    node = value.producer()
    return grid_of(node) if node is not None and node.op_type == PAIR[1] else None
