"""A layer of constant weights as a graph of adders: what da4ml makes of it, and what that computes.

The graph takes the window of one output position and gives all of its stored outputs: products, bias and requantization
or threshold. Weights and multipliers are constants, so all that is left of them is additions of shifted numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Requantization, Tensor, Threshold

from tinsmith_backends.rtl.adder.equivalent import Affine, as_given, cheapest

EXACT_BITS = 52
"""da4ml computes with float64 at compile time; numbers of more bits are refused."""
ADDERS_IN_A_ROW = 4
"""Adders between two registers."""

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """The adders of one layer.

    Attributes:
        logic: da4ml's record of them, without registers (`da4ml.types.CombLogic`). Called with a list of numbers it
            computes with exact fractions; its `predict` does not, since that keeps constants in 32 bits.
        adders: bits of adders, da4ml's measure of area.
    """

    logic: Any
    adders: float

    def stages(self) -> Any:
        """Cut by registers so that no more than `ADDERS_IN_A_ROW` adders stand between two (`da4ml.types.Pipeline`)."""
        from da4ml.trace.pipeline import to_pipeline

        return to_pipeline(self.logic, ADDERS_IN_A_ROW, verbose=False)


def trace(x: Tensor, matrix: Matrix, bias: npt.NDArray[Any], ending: Requantization | Threshold, where: str) -> Graph:
    """The adders that compute a layer at one position.

    Args:
        x: the tensor that the layer reads; 8 bit, or 1 bit: then 1 stands for the value -1.
        matrix: weights (inputs, outputs), inputs in the order in which the window has them.
        bias: (outputs,)
        ending: how accumulators become stored outputs; of a threshold, 1 stands for -1.
        where: the layer's name, for errors.

    Raises:
        TinsmithError: numbers would pass 52 bits.
    """
    from da4ml.trace import FixedVariableArray, HWConfig, comb_trace

    inputs = matrix.shape[0]
    lo, hi = (0, 1) if x.bits == 1 else (x.lo, x.hi)
    weights, offset = (-2 * matrix, bias + matrix.sum(0)) if x.bits == 1 else (matrix, np.asarray(bias))
    limits = np.full(inputs, float(lo)), np.full(inputs, float(hi)), np.ones(inputs)
    lanes = FixedVariableArray.from_lhs(*limits, hwconf=HWConfig(1, -1, ADDERS_IN_A_ROW))
    products = lanes @ weights.astype(np.float64)
    outputs = [
        _bit(products[channel], int(offset[channel]) - int(ending.limit[channel]))
        if isinstance(ending, Threshold)
        else _rounded(products[channel], int(offset[channel]), as_given(ending, channel), where)
        for channel in range(matrix.shape[1])
    ]
    logic = comb_trace(lanes, FixedVariableArray(np.array(outputs, dtype=object), hwconf=lanes.hwconf))
    return Graph(logic, float(logic.cost))


def _bit(product: Any, offset: int) -> Any:
    """1 where product + offset is negative."""
    return (product + offset).is_negative()


def _rounded(product: Any, offset: int, given: Affine, where: str) -> Any:
    """The stored output of a channel whose accumulator is product + offset."""
    lo, hi = int(product.low) + offset, int(product.high) + offset
    form = cheapest(given, lo, hi)
    if max(abs(lo), abs(hi), 1).bit_length() + form.factor.bit_length() > EXACT_BITS:
        why = f"its accumulators times multipliers pass {EXACT_BITS} bits"
        raise TinsmithError("cannot become a graph of adders", where=where, why=why, fix="engine=mvu for this layer")
    scaled = product * float(form.factor) + float(offset * form.factor + form.offset)
    whole = _shifted(scaled, form.shift)
    return whole.max_of(form.lo).min_of(form.hi)


def _shifted(value: Any, shift: int) -> Any:
    """floor(value / 2**shift)"""
    small = value * 2.0**-shift
    keep, integers, _ = small.kif
    return small.quantize(keep, integers, 0, "WRAP", "TRN")
