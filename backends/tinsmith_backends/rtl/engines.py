"""The engine of each kind of layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinsmith.ir.exact import (
    Add,
    AveragePool,
    BinaryConv,
    BinaryMatMul,
    BinaryMaxPool,
    Concat,
    Conv,
    Layer,
    MatMul,
    MaxPool,
    Requantize,
    Reshape,
    ShiftConv,
    ShiftMatMul,
)

from tinsmith_backends.rtl.joins import add, concat, requantize, reshape
from tinsmith_backends.rtl.lower import Lowering
from tinsmith_backends.rtl.products import conv, matmul
from tinsmith_backends.rtl.reductions import average_pool, depthwise, max_pool


def _conv(state: Lowering, layer: Conv) -> None:
    (conv if layer.group == 1 else depthwise)(state, layer)


ENGINES: Mapping[type[Layer], Callable[[Lowering, Any], None]] = {
    Add: add,
    AveragePool: average_pool,
    BinaryConv: conv,
    BinaryMatMul: matmul,
    BinaryMaxPool: max_pool,
    Concat: concat,
    Conv: _conv,
    MatMul: matmul,
    MaxPool: max_pool,
    Requantize: requantize,
    Reshape: reshape,
    ShiftConv: conv,
    ShiftMatMul: matmul,
}
"""What becomes of a layer, by its kind."""
