"""The estimator: terms of each module weighted so that the synthesized blocks of the table come out.

Weights are not negative and make the sum of squared relative errors least, so small blocks count as much as large ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from tinsmith_backends.rtl.area.blocks import Block, Measured, measured
from tinsmith_backends.rtl.area.features import Shape, shape
from tinsmith_backends.rtl.area.parts import RULES, Mapped
from tinsmith_backends.synthesis.families import Resources

Vector = npt.NDArray[np.float64]
SMALL = 20.0
"""Of a block of fewer look-up tables or registers than this, the error is counted against so many."""
STEPS = 20_000


def estimate(block: Block, family: str) -> Resources:
    """What a block takes."""
    parts, (luts, ffs) = shape(block), _weights(block.module, family)
    mapped, dsp = _mapped(parts, family)
    lut_terms, ff_terms = _terms(parts, mapped, dsp, family)
    lut, ff = float(lut_terms @ luts), float(ff_terms @ ffs)
    fixed = sum(one.lut_cells for one in mapped)
    return Resources(round(lut) + fixed, round(ff), dsp, sum(one.bram for one in mapped))


def errors(family: str) -> dict[str, list[tuple[Measured, Resources]]]:
    """Every measured block with its estimate, by module."""
    found: dict[str, list[tuple[Measured, Resources]]] = {}
    for row in measured():
        if family in row.resources:
            found.setdefault(row.block.module, []).append((row, estimate(row.block, family)))
    return found


def mean_error(family: str) -> float:
    """Mean of |estimated - measured| / measured of look-up tables over the table's blocks of more than `SMALL`."""
    pairs = [
        (row.resources[family].lut, guess.lut)
        for rows in errors(family).values()
        for row, guess in rows
        if row.resources[family].lut > SMALL
    ]
    return float(np.mean([abs(guess - right) / right for right, guess in pairs]))


def _mapped(parts: Shape, family: str) -> tuple[list[Mapped], int]:
    rules = RULES[family]
    return [rules.memory(memory) for memory in parts.memories], sum(map(rules.dsps, parts.products))


def _terms(parts: Shape, mapped: Sequence[Mapped], dsp: int, family: str) -> tuple[Vector, Vector]:
    """Terms of look-up tables and of flip-flops: the module's own, then those of its memories and multipliers."""
    registered = sum(
        memory.width for memory, one in zip(parts.memories, mapped, strict=True) if memory.registered and one.bram
    )
    written = sum(one.logic_bits for memory, one in zip(parts.memories, mapped, strict=True) if memory.written)
    read = sum(one.logic_bits for one in mapped) - written
    chosen = sum(one.chosen for one in mapped)
    logic = sum(p.count * p.a * p.b for p in parts.products) if parts.products and dsp == 0 else 0
    sums = sum(map(RULES[family].sums, parts.products)) if dsp else 0
    return (
        np.array([*parts.luts, read, chosen, logic, sums], np.float64),
        np.array([*parts.ffs, written, -registered], np.float64),
    )


@cache
def _weights(module: str, family: str) -> tuple[Vector, Vector]:
    """Weights of the terms of look-up tables and of flip-flops of a module."""
    rows = [row for row in measured() if row.block.module == module and family in row.resources]
    luts, ffs, right_luts, right_ffs = [], [], [], []
    for row in rows:
        parts = shape(row.block)
        mapped, dsp = _mapped(parts, family)
        lut_terms, ff_terms = _terms(parts, mapped, dsp, family)
        luts.append(lut_terms)
        ffs.append(ff_terms)
        right_luts.append(row.resources[family].lut - sum(one.lut_cells for one in mapped))
        right_ffs.append(row.resources[family].ff)
    whole = [row.resources[family].lut for row in rows]
    return _fitted(luts, right_luts, whole), _fitted(ffs, right_ffs, right_ffs)


def _fitted(terms: Sequence[Vector], right: Sequence[int], whole: Sequence[int]) -> Vector:
    """Weights of least squares that are not negative, by coordinate descent; errors count in parts of the `whole`."""
    scale = np.maximum(np.asarray(whole, np.float64), SMALL)
    a, b = np.stack(terms) / scale[:, None], np.asarray(right, np.float64) / scale
    norms = (a * a).sum(axis=0)
    weights: Vector = np.zeros(a.shape[1])
    rest = b.copy()
    for _ in range(STEPS):
        before = weights.copy()
        for j in np.flatnonzero(norms > 0):
            moved = max(0.0, weights[j] + a[:, j] @ rest / norms[j])
            rest -= a[:, j] * (moved - weights[j])
            weights[j] = moved
        if np.abs(weights - before).max() < 1e-7 * max(np.abs(weights).max(), 1.0):
            break
    return weights
