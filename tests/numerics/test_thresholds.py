"""Limits of thresholds are exact, and two-piece functions are the nearest integers, for whatever numbers come."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Tensor
from tinsmith.numerics.pieces import IntegerPieces, Pieces, choose_pieces
from tinsmith.numerics.requantize import INT32_MAX
from tinsmith.numerics.thresholds import limits

float32s = st.floats(-1e6, 1e6, width=32)
X = Tensor("x", (1, 1), "int8", 0.037, 0, -128, 127)


def limit(unit: float, bias: float, threshold: float, lo: int, hi: int) -> int:
    one = [np.array([number]) for number in (unit, bias, threshold, lo, hi)]
    return int(limits(*one)[0])


@given(
    unit=st.floats(0, 100, width=32),
    bias=float32s,
    threshold=float32s,
    lo=st.integers(-300, 0),
    hi=st.integers(0, 300),
)
@settings(max_examples=100)
def test_the_limit_parts_accumulators_as_the_real_values_do(
    unit: float, bias: float, threshold: float, lo: int, hi: int
) -> None:
    found = limit(unit, bias, threshold, lo, hi)
    assert lo <= found <= hi + 1
    for acc in {lo, hi, min(max(found, lo), hi), min(max(found - 1, lo), hi)}:
        assert (acc >= found) == (acc * Fraction(unit) + Fraction(bias) >= Fraction(threshold))


@given(scale=st.floats(2.0**-10, 1, width=32), acc=st.integers(-1000, 1000))
@settings(max_examples=50)
def test_a_value_that_equals_its_threshold_is_above_it(scale: float, acc: int) -> None:
    tie = float(np.float64(scale) * acc)  # 24 and 10 bits: exact
    assert limit(scale, 0.0, tie, -1000, 1000) == acc
    assert limit(scale, tie, 0.0, -1000, 1000) == -acc


def test_infinite_thresholds_make_constants() -> None:
    assert limit(1.0, 0.0, -np.inf, -5, 5) == -5
    assert limit(1.0, 0.0, np.inf, -5, 5) == 6


def real(pieces: Pieces, x: float) -> float:
    k = int(x >= pieces.knee[0])
    return float(pieces.slope[k, 0] * x + pieces.offset[k, 0])


def integer(pieces: IntegerPieces, v: int) -> int:
    k = int(v >= pieces.knee[0])
    total = v * int(pieces.multiplier[k, 0]) + int(pieces.offset[k, 0]) + (1 << (pieces.shift - 1))
    assert abs(total) <= INT32_MAX
    return total >> pieces.shift


reals = st.floats(-8, 8).filter(lambda number: number == 0 or abs(number) > 1e-3)


@given(before=reals, shift=reals, slope=reals, factor=reals, after=reals)
@settings(max_examples=100)
def test_a_chain_becomes_the_nearest_steps(
    before: float, shift: float, slope: float, factor: float, after: float
) -> None:
    pieces = Pieces.identity(1).scaled(before).shifted(shift).bent(slope).scaled(factor).shifted(after)
    found = choose_pieces(pieces, X, 0.05)
    for v in range(-128, 128, 3):
        x = v * X.scale
        inner = before * x + shift
        wanted = factor * (inner if inner >= 0 else slope * inner) + after
        assert abs(real(pieces, x) - wanted) < 1e-9 * (1 + abs(wanted))
        if -128 <= round(wanted / 0.05) <= 127:
            assert abs(integer(found, v) - wanted / 0.05) <= 0.5 + 2.0**-8


def test_an_offset_beyond_all_outputs_costs_no_precision() -> None:
    pieces = Pieces(np.array([0.0]), np.array([[0.5], [0.5]]), np.array([[0.1], [1e9]]))
    found = choose_pieces(pieces, X, 0.05)
    assert found.shift >= 20
    assert integer(found, 0) > 127 and abs(integer(found, -1) - (0.1 - 0.5 * X.scale) / 0.05) <= 0.51


def test_a_step_is_two_constants() -> None:
    found = choose_pieces(Pieces.step(np.array([0.1])), X, 1 / 127)
    assert [integer(found, v) for v in (2, 3)] == [-127, 127]


def test_slopes_too_steep_for_32_bits_are_refused_with_the_layer() -> None:
    steep = Pieces.identity(1).scaled(1e12)
    with pytest.raises(TinsmithError, match=r"PiecewiseLinear 'act'(.|\n)*32-bit"):
        choose_pieces(steep, X, 0.05, "PiecewiseLinear 'act'")
