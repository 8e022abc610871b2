"""A layer as a graph of adders: what da4ml makes of it, and what that computes.

The graph takes the window of one output position and gives all of its stored outputs: products, bias and requantization
or threshold. Weights and multipliers are constants, so all that is left of them is additions of shifted numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Accumulator, Ending, Requantization, Threshold

from tinsmith_backends.rtl.adder.equivalent import Affine, as_given, cheapest, requant_offset

EXACT_BITS = 48
"""da4ml counts bits by float64 logarithms, which are right up to 2**48; longer products are made of two parts."""
CONSTANT = 5
"""da4ml's code of an operation that gives one."""
ADDERS_IN_A_ROW = 4
"""Adders between two registers."""

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """The adders of one layer.

    Attributes:
        logic: da4ml's record of them, without registers (`da4ml.types.CombLogic`). Called with a list of numbers it
            computes with exact fractions; its `predict` does not, since that keeps constants in 32 bits.
    """

    logic: Any

    @property
    def outputs(self) -> int:
        """How many numbers it gives."""
        return len(self.logic.out_qint)

    @property
    def adders(self) -> float:
        """Bits of adders: da4ml's measure of area."""
        return float(self.logic.cost)

    @cached_property
    def stages(self) -> tuple[Any, ...]:
        """The parts between two registers, each with no more than `ADDERS_IN_A_ROW` adders in a row."""
        from da4ml.trace.pipeline import to_pipeline

        stages = to_pipeline(self.logic, ADDERS_IN_A_ROW, verbose=False).solutions
        return tuple(map(_mended, stages))


@dataclass(frozen=True)
class Lanes:
    """Inputs of a graph: least and greatest stored value of each; 0 and 1 where lanes are bits, of which 1 means -1."""

    lo: Matrix
    hi: Matrix
    bits: bool = False

    @staticmethod
    def of_bits(count: int) -> Lanes:
        """Lanes of one bit."""
        return Lanes(np.zeros(count, np.int64), np.ones(count, np.int64), bits=True)

    @staticmethod
    def alike(count: int, lo: int, hi: int) -> Lanes:
        """Lanes of one range."""
        return Lanes(np.full(count, lo, np.int64), np.full(count, hi, np.int64))

    def variables(self) -> Any:
        """da4ml's numbers for them."""
        from da4ml.trace import FixedVariableArray, HWConfig

        steps = np.ones(len(self.lo))
        config = HWConfig(1, -1, ADDERS_IN_A_ROW)
        return FixedVariableArray.from_lhs(self.lo.astype(float), self.hi.astype(float), steps, hwconf=config)


def products(lanes: Lanes, matrix: Matrix, bias: npt.NDArray[Any], ending: Ending, where: str) -> Graph:
    """The adders of a weighted sum and its ending.

    Args:
        lanes: inputs, in the order of a window.
        matrix: weights (inputs, outputs).
        bias: (outputs,), zero points of the inputs in it.
        ending: how accumulators become stored outputs; of a threshold, 1 stands for -1.
        where: the layer's name, for errors.

    Raises:
        TinsmithError: numbers would pass 48 bits.
    """
    weights, offset = (-2 * matrix, bias + matrix.sum(0)) if lanes.bits else (matrix, np.asarray(bias))
    inputs = lanes.variables()
    sums = inputs @ weights.astype(np.float64)
    outputs = [_ended(sums[c], int(offset[c]), ending, c, where) for c in range(matrix.shape[1])]
    return _graph(inputs, outputs)


def pieces(lanes: Lanes, constants: Matrix, rounding: Requantization) -> Graph:
    """Two straight pieces a lane.

    Args:
        lanes: the values.
        constants: int64 (5, lanes) for stored values: knee, multiplier and offset below it, multiplier and offset from
            it on.
        rounding: what both go through.
    """
    inputs = lanes.variables()
    outputs = []
    for value, (knee, *lines) in zip(inputs, constants.T.tolist(), strict=True):
        extra = requant_offset(rounding)
        below, above = (
            _shifted(value * float(factor) + float(offset + extra), rounding.shift)
            for factor, offset in (lines[:2], lines[2:])
        )
        chosen = (value - float(knee)).is_negative().msb_mux(below, above)
        outputs.append(chosen.max_of(rounding.lo).min_of(rounding.hi))
    return _graph(inputs, outputs)


def extremes(lanes: Lanes, least: Sequence[bool]) -> Graph:
    """The greatest stored value of each channel over the taps of a window, or the least where `least` says so."""
    inputs = lanes.variables()
    outputs = []
    channels = len(least)
    for channel in range(channels):
        taps = [inputs[lane] for lane in range(channel, len(lanes.lo), channels)]
        while len(taps) > 1:
            pairs = list(zip(taps[::2], taps[1::2], strict=False))
            taps = [_extreme(a, b, lanes.bits, least[channel]) for a, b in pairs] + taps[2 * len(pairs) :]
        outputs.append(taps[0])
    return _graph(inputs, outputs)


def _extreme(a: Any, b: Any, bits: bool, least: bool) -> Any:
    if bits:
        return a & b if least else a | b
    return a.min_of(b) if least else a.max_of(b)


def _graph(inputs: Any, outputs: list[Any]) -> Graph:
    from da4ml.trace import FixedVariableArray, comb_trace

    return Graph(_mended(comb_trace(inputs, FixedVariableArray(np.array(outputs, dtype=object), hwconf=inputs.hwconf))))


def _mended(logic: Any) -> Any:
    """The same logic with every constant in its own largest step.

    da4ml looks for steps up to 2**31 only, and drops the low bits of a constant of more that it chooses from (the clamp
    behind a shift of more than 31 bits).
    """
    return logic._replace(ops=[_in_largest_step(op) if op.opcode == CONSTANT else op for op in logic.ops])


def _in_largest_step(constant: Any) -> Any:
    zeros = (constant.data & -constant.data).bit_length() - 1 if constant.data else 0
    step = constant.qint.step * 2.0**zeros
    return constant._replace(data=constant.data >> zeros, qint=constant.qint._replace(step=step))


def _ended(product: Any, offset: int, ending: Ending, channel: int, where: str) -> Any:
    """The stored output of a channel whose accumulator is product + offset."""
    if isinstance(ending, Accumulator):
        return product + float(offset)
    if isinstance(ending, Threshold):
        return _bit(product, offset - int(ending.limit[channel]))
    return _rounded(product, offset, as_given(ending, channel), where)


def _bit(product: Any, offset: int) -> Any:
    """1 where product + offset is negative."""
    return (product + offset).is_negative()


def _rounded(product: Any, offset: int, given: Affine, where: str) -> Any:
    """The accumulator product + offset, requantized."""
    lo, hi = int(product.low) + offset, int(product.high) + offset
    form = cheapest(given, lo, hi)
    reach, factor = max(abs(lo), abs(hi), 1), form.factor.bit_length()

    def bits(cut: int) -> int:
        return ((reach >> cut) * form.factor + (abs(form.offset) >> cut)).bit_length()

    # Low bits that are multiplied on their own where all of them would give too long a product.
    cut = 0 if bits(0) <= EXACT_BITS else min(EXACT_BITS - 1 - factor, form.shift)
    if bits(cut) > EXACT_BITS:
        why = f"its accumulators times multipliers pass {EXACT_BITS} bits"
        raise TinsmithError("cannot become a graph of adders", where=where, why=why, fix="another kind for this layer")
    scaled = _scaled(product, form.factor, offset * form.factor + form.offset, form.shift, cut)
    return scaled.max_of(form.lo).min_of(form.hi)


def _scaled(value: Any, factor: int, offset: int, shift: int, cut: int) -> Any:
    """(value * factor + offset) >> shift; with `cut`, of that many low bits first, and then with what they carry."""
    if cut == 0:
        return _shifted(value * float(factor) + float(offset), shift)
    low, high = value.quantize(0, cut, 0, "WRAP", "TRN"), _shifted(value, cut)
    carry = _shifted(low * float(factor) + float(offset & ((1 << cut) - 1)), cut)
    return _shifted(high * float(factor) + carry + float(offset >> cut), shift - cut)


def _shifted(value: Any, shift: int) -> Any:
    """floor(value / 2**shift)"""
    small = value * 2.0**-shift
    keep, integers, _ = small.kif
    return small.quantize(keep, integers, 0, "WRAP", "TRN")
