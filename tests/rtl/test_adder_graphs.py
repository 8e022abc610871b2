"""Graphs of adders compute what numpy does; cheaper requantizations have the same steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith.ir.exact import Requantization, Threshold
from tinsmith_backends.rtl.adder.equivalent import Affine, cheapest, digits

LIMITS = [(0, 255), (-128, 127), (0, 200), (-100, 90)]
CHOICE = 6
"""da4ml's code of an operation that takes one number or another."""
WIDE = [(-32768, 32767), (0, 32767), (-20000, 30000), (-128, 127)]


@given(
    st.integers(8, 44),
    st.floats(2e-4, 0.4),
    st.sampled_from(LIMITS),
    st.integers(-128, 255),
    st.integers(-60000, 60000),
    st.integers(0, 90000),
)
@settings(max_examples=150)
def test_the_cheapest_form_has_the_same_steps(
    shift: int, ratio: float, limits: tuple[int, int], zero: int, lo: int, span: int
) -> None:
    form = Affine(max(round(ratio * 2**shift), 1), (2 * zero + 1) << (shift - 1), shift, *limits)
    found = cheapest(form, lo, lo + span)
    assert digits(found.factor) <= digits(form.factor)
    some = {lo, lo + span, *np.random.default_rng(0).integers(lo, lo + span + 1, 300).tolist()}
    # A step and its neighbour below are where a wrong form would show.
    steps = [-((form.offset - (y << shift)) // form.factor) for y in range(limits[0], limits[1] + 1)]
    some |= {acc - back for acc in steps for back in (0, 1) if lo <= acc - back <= lo + span}
    assert [found(acc) for acc in some] == [form(acc) for acc in some]


@given(st.integers(20, 46), st.floats(1e-3, 0.9), st.sampled_from(WIDE), st.integers(-(2**29), 2**29))
@settings(max_examples=30)
def test_so_has_that_of_16_bits(shift: int, ratio: float, limits: tuple[int, int], lo: int) -> None:
    span = round(2 * (limits[1] - limits[0]) / ratio)
    form = Affine(max(round(ratio * 2**shift), 1), 1 << (shift - 1), shift, *limits)
    found = cheapest(form, lo, lo + span)
    steps = [-((form.offset - (y << shift)) // form.factor) for y in range(limits[0], limits[1] + 1)]
    some = {lo, lo + span} | {acc - back for acc in steps for back in (0, 1) if lo <= acc - back <= lo + span}
    assert digits(found.factor) <= digits(form.factor)
    assert all(found(acc) == form(acc) for acc in some)


def expected(x: np.ndarray, matrix: np.ndarray, bias: np.ndarray, ending: Requantization | Threshold) -> np.ndarray:
    acc = x @ matrix + bias
    if isinstance(ending, Threshold):
        return (acc < ending.limit).astype(np.int64)
    scaled = (acc * ending.multiplier.astype(np.int64) + (1 << (ending.shift - 1))) >> ending.shift
    return np.clip(scaled + ending.zero_point, ending.lo, ending.hi)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["bits", "shift", "int8", "int16"])
def test_a_graph_computes_the_layer(kind: str, seed: int) -> None:
    pytest.importorskip("da4ml", reason="da4ml is not installed")
    from tinsmith_backends.rtl.adder.trace import Lanes, products

    rng = np.random.default_rng(seed)
    inputs, outputs = int(rng.integers(1, 30)), int(rng.integers(1, 7))
    lo, hi = WIDE[seed % 3] if kind == "int16" else [(0, 255), (-128, 127), (0, 90), (3, 77)][seed % 4]
    limits = (WIDE if kind == "int16" else LIMITS)[seed // 2 % 4]
    powers = np.array([-8, -4, -2, -1, 1, 2, 4, 8])
    matrix = {
        "bits": rng.choice([-1, 1], (inputs, outputs)),
        "shift": rng.choice(powers, (inputs, outputs)),
        "int": rng.integers(-127, 128, (inputs, outputs)) * (rng.random(outputs) > 0.1),
    }["int" if kind.startswith("int") else kind]
    reach = max(int(np.abs(matrix).sum(0).max()) * (1 if kind == "bits" else max(-lo, hi)), 1)
    bias = rng.integers(-reach // 4 - 1, reach // 4 + 2, outputs)
    if seed % 2:
        ending: Requantization | Threshold = Threshold(rng.integers(-reach, reach + 1, outputs).astype(np.int32))
    else:
        ratios = 1.2 * (limits[1] - limits[0]) / reach * rng.uniform(0.3, 1, outputs)
        widest = kind == "int16"
        shift = int(30 - np.log2(ratios.max())) if widest else int(rng.integers(12, 28))
        factors = np.maximum(ratios * 2.0**shift, 1).astype(np.int32)
        zero_point = 0 if widest else int(rng.integers(-128, 256))
        ending = Requantization(factors, shift, zero_point, *limits, wide=True)
    lanes = Lanes.of_bits(inputs) if kind == "bits" else Lanes.alike(inputs, lo, hi)
    stored = rng.integers(lanes.lo, lanes.hi + 1, (60, inputs))
    stored[0], stored[1] = lanes.lo, lanes.hi
    stored[2] = np.where(matrix[:, 0] > 0, lanes.hi, lanes.lo)
    graph = products(lanes, matrix, bias, ending, "layer")
    got = np.array([[int(y) for y in graph.logic(row)] for row in stored.astype(float).tolist()])
    real = 1 - 2 * stored if kind == "bits" else stored
    assert np.array_equal(got, expected(real, matrix, bias, ending))
    for (
        part
    ) in graph.stages:  # which da4ml's modules hold as they are: they shift what they choose from to the left only
        for op in (op for op in part.ops if abs(op.opcode) == CHOICE):
            first, second = part.ops[op.id0].qint, part.ops[op.id1].qint
            assert op.data >> 32 == 0
            assert all(one.step >= op.qint.step for one in (first, second) if (one.min, one.max) != (0, 0))
