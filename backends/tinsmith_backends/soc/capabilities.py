"""Which layers the accelerator of a chip does. The firmware does the others, where it has the operator."""

from __future__ import annotations

import numpy as np
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
    Requantize,
    ShiftConv,
    ShiftMatMul,
    Table,
)

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.weights import are_products

Products = Conv | MatMul | ShiftConv | ShiftMatMul
"""Products of 8-bit values."""


def in_hardware(layer: Layer, chip: Chip) -> bool:
    """Whether the accelerator does this layer."""
    match layer:
        case BinaryConv() | BinaryMatMul():
            return True
        case Conv() | MatMul() | ShiftConv() | ShiftMatMul():
            return are_products(layer.weight.astype(np.int16), chip)
        case AveragePool() | Requantize() | Binarize() | Concat():
            return True
        case MaxPool():
            return chip.has("maxpool")
        case BinaryMaxPool():
            return chip.has("maxpool") and bool(np.all(layer.sign == 1))
        case Add():
            return chip.has("add")
        case Table():
            return chip.has("table")
        case _:
            return False


def strided(layer: Layer, chip: Chip) -> bool:
    """Whether the pixels of its input and output may have gaps between them."""
    return isinstance(layer, _STRIDED) and in_hardware(layer, chip)


_STRIDED = (Conv, BinaryConv, ShiftConv, AveragePool, Requantize, Binarize, Table)
