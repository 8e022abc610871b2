"""The engine of each kind of layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinsmith.ir.exact import (
    Add,
    AveragePool,
    Binarize,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    Layer,
    MatMul,
    MaxPool,
    Multiply,
    PiecewiseLinear,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
    Table,
)

from tinsmith_backends.rtl.elementwise import binarize, multiply, piecewise, requantize, reshape, table
from tinsmith_backends.rtl.joins import add, concat
from tinsmith_backends.rtl.lower import Lowering
from tinsmith_backends.rtl.products import conv, matmul
from tinsmith_backends.rtl.reductions import average_pool, depthwise, max_pool


def _conv(state: Lowering, layer: Conv | ShiftConv) -> None:
    channels = state.tensor(layer.inputs[0]).shape[1]
    (depthwise if 1 < layer.group == channels == layer.weight.shape[0] else conv)(state, layer)


ENGINES: Mapping[type[Layer], Callable[[Lowering, Any], None]] = {
    Add: add,
    AveragePool: average_pool,
    Binarize: binarize,
    BinaryConv: conv,
    BinaryMatMul: matmul,
    BinaryMaxPool: max_pool,
    Concat: concat,
    Conv: _conv,
    MatMul: matmul,
    MaxPool: max_pool,
    Multiply: multiply,
    PiecewiseLinear: piecewise,
    Requantize: requantize,
    Reshape: reshape,
    ShiftConv: _conv,
    ShiftMatMul: matmul,
    Table: table,
}
"""What becomes of a layer, by its kind."""
