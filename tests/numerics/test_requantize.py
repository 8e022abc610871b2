"""Multipliers and shifts: the narrow and the wide form, their bounds, and what no shift expresses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith.errors import TinsmithError
from tinsmith.numerics.requantize import (
    INT32_MAX,
    LEAST_NARROW_MULTIPLIER,
    choose_addition,
    choose_requantization,
    requantize,
)

WHOLE = {"zero_point": 0, "lo": -128, "hi": 127}


def bounds(*magnitudes: int) -> tuple[np.ndarray, np.ndarray]:
    reach = np.array(magnitudes, np.int64)
    return -reach, reach


def fits(multiplier: int, magnitude: int, shift: int) -> bool:
    return magnitude * multiplier + 2 ** (shift - 1) <= INT32_MAX


def is_power_of_two(ratio: float) -> bool:
    return bool(np.frexp(ratio)[0] == 0.5)


@settings(max_examples=200)
@given(data=st.data())
def test_choice_follows_the_rule_and_stays_in_its_error_bound(data: st.DataObject) -> None:
    channels = data.draw(st.integers(1, 5))
    exponents = data.draw(st.sampled_from([st.floats(-24, 3), st.integers(-24, 3)]))
    ratio = np.array([2 ** data.draw(exponents) for _ in range(channels)])
    magnitude = [data.draw(st.integers(1, 2**31 - 1)) for _ in range(channels)]
    requant = choose_requantization(ratio, *bounds(*magnitude), **WHOLE)
    multipliers, shift = [int(m) for m in requant.multiplier], requant.shift
    assert 1 <= shift <= 62 and all(1 <= m <= INT32_MAX for m in multipliers)
    assert requant.wide != all(fits(m, a, shift) for m, a in zip(multipliers, magnitude, strict=True))
    if all(is_power_of_two(r) for r in ratio):  # exact, and as small as can be
        assert all(Fraction(m, 2**shift) == Fraction(r) for r, m in zip(ratio, multipliers, strict=True))
        assert min(multipliers) == 1 or shift == 1
    elif requant.wide or min(multipliers) < LEAST_NARROW_MULTIPLIER:  # 31 bits
        assert max(multipliers) >= 2**30
    else:  # narrow, and the widest: one more bit would leave int32
        doubled = [round(Fraction(r) * 2 ** (shift + 1)) for r in ratio]
        assert not all(fits(m, a, shift + 1) for m, a in zip(doubled, magnitude, strict=True)) or shift == 31
    for r, m, a in zip(ratio, multipliers, magnitude, strict=True):
        raised = m == 1  # a multiplier is at least 1
        assert abs(Fraction(m, 2**shift) - Fraction(r)) <= Fraction(2 if raised else 1, 2 ** (shift + 1))
        wide_open = choose_requantization(np.array([r]), *bounds(a), zero_point=0, lo=-(2**40), hi=2**40)
        error = requantize(np.array([a]), wide_open)[0] - Fraction(r) * a
        assert abs(error) <= Fraction(1, 2) + Fraction(a, 2 ** (wide_open.shift + 1))


def test_narrow_where_the_accumulator_leaves_room_and_wide_where_not() -> None:
    assert not choose_requantization(np.array([0.01]), *bounds(20_000), **WHOLE).wide
    assert choose_requantization(np.array([0.01]), *bounds(2**24), **WHOLE).wide


def test_16_bits_take_a_narrow_product_only_with_a_multiplier_of_18_bits() -> None:
    limits = {"zero_point": 0, "lo": -32768, "hi": 32767, "bits": 16}
    few = choose_requantization(np.array([0.7, 0.4]), *bounds(4_000, 7_000), **limits)
    assert not few.wide and few.multiplier.min() >= 2**17
    for bits, wide in ((8, False), (16, True)):
        assert choose_requantization(np.array([0.7]), *bounds(40_000), **(limits | {"bits": bits})).wide == wide


def test_one_small_ratio_makes_the_whole_tensor_wide() -> None:
    together = choose_requantization(np.array([0.01, 0.01 / 4096]), *bounds(20_000, 20_000), **WHOLE)
    assert together.wide
    dead = choose_requantization(np.array([0.01, 0.01 / 4096]), *bounds(20_000, 0), **WHOLE)
    assert not dead.wide and dead.multiplier[0] == dead.multiplier[1]


def test_a_ratio_just_below_a_power_of_two_keeps_31_bits() -> None:
    requant = choose_requantization(np.array([np.nextafter(0.25, 0)]), *bounds(2**30), **WHOLE)
    assert (int(requant.multiplier[0]), requant.shift) == (2**30, 32)


@pytest.mark.parametrize("ratio", [2.0**31, 2.0**-63, 1.5 * 2.0**-40, 0.0, np.inf, np.nan])
def test_extreme_ratios_are_refused_with_the_layer(ratio: float) -> None:
    with pytest.raises(TinsmithError, match="Conv 'c1'"):
        choose_requantization(np.array([ratio]), *bounds(2**30), where="Conv 'c1'", **WHOLE)


def test_requantize_rounds_halves_up_and_clamps() -> None:
    requant = choose_requantization(np.array([0.5]), *bounds(300), zero_point=1, lo=-3, hi=4)
    acc = np.array([[-300, -9, -3, -2, -1, 0, 1, 2, 3, 9, 300]])
    assert requantize(acc, requant).tolist() == [[-3, -3, 0, 0, 1, 1, 2, 2, 3, 4, 4]]


@settings(max_examples=200)
@given(
    st.one_of(st.floats(-20, 18), st.integers(-20, 18)),
    st.one_of(st.floats(-20, 18), st.integers(-20, 18)),
    st.integers(0, 255),
    st.integers(0, 255),
)
def test_addition_fits_int32_and_is_as_wide_as_it_can_be(a: float, b: float, reach_a: int, reach_b: int) -> None:
    ratios, reach = (2.0**a, 2.0**b), (reach_a, reach_b)
    multipliers, requant = choose_addition(ratios, reach, **WHOLE)

    def total(pair: tuple[int, int], shift: int) -> int:
        return sum(m * n for m, n in zip(pair, reach, strict=True)) + 2 ** (shift - 1)

    assert total(multipliers, requant.shift) <= INT32_MAX and not requant.wide
    if all(is_power_of_two(ratio) for ratio in ratios):
        exact = all(Fraction(m, 2**requant.shift) == Fraction(r) for r, m in zip(ratios, multipliers, strict=True))
        if exact and (min(multipliers) == 1 or requant.shift == 1):
            return
    wider = tuple(max(1, round(Fraction(r) * 2 ** (requant.shift + 1))) for r in ratios)
    assert requant.shift == 30 or total(wider, requant.shift + 1) > INT32_MAX or max(wider) > INT32_MAX  # type: ignore[arg-type]
    for ratio, multiplier in zip(ratios, multipliers, strict=True):
        assert abs(Fraction(multiplier, 2**requant.shift) - Fraction(ratio)) <= Fraction(1, 2**requant.shift)


def test_addition_refuses_ratios_without_a_shift() -> None:
    with pytest.raises(TinsmithError, match="Add 'sum'"):
        choose_addition((2.0**24, 1.0), (255, 255), where="Add 'sum'", **WHOLE)


def test_powers_of_two_are_shifts() -> None:
    one = choose_requantization(np.array([2.0**-7, 2.0**-7]), *bounds(90_000, 2_000_000_000), **WHOLE)
    assert one.multiplier.tolist() == [1, 1] and one.shift == 7
    each = choose_requantization(np.array([2.0**-7, 2.0**-3]), *bounds(90_000, 90_000), **WHOLE)
    assert each.multiplier.tolist() == [1, 16] and each.shift == 7
    large = choose_requantization(np.array([4.0]), *bounds(90_000), **WHOLE)
    assert large.multiplier.tolist() == [8] and large.shift == 1
    pair, sum_ = choose_addition((0.25, 2.0), (255, 255), **WHOLE)
    assert pair == (1, 8) and sum_.shift == 2
