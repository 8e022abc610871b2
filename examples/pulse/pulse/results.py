"""What every method reaches at every signal-to-noise ratio, and what of it was promised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pulse.bound import Resolution, bound
from pulse.classical import Estimator, calibrated, constant_fraction, leading_edge, matched_filter, optimal_filter
from pulse.detector import Array, Detector, Pulses, generate

BOUND, OPTIMAL, MATCHED = "Cramér–Rao bound", "optimal filter", "matched filter"
FRACTION, EDGE, FLOAT, CHIP = "constant fraction", "leading edge", "network, float", "network, int8"
METHODS = (BOUND, OPTIMAL, MATCHED, FRACTION, EDGE, FLOAT, CHIP)
BASELINES = (MATCHED, FRACTION, EDGE)
PAPER_DB = 47.4
"""The signal-to-noise ratio at which PulseDL-II was published."""
LEVELS = (20.0, 25.0, 30.0, 35.0, 40.0, PAPER_DB, 55.0)
"""Signal-to-noise ratios, dB."""

Table = dict[str, dict[float, Resolution]]
"""By method and signal-to-noise ratio."""


def evaluation(detector: Detector, snr_db: float, count: int) -> Pulses:
    """Pulses that no training and no calibration has seen."""
    return generate(detector, count, snr_db, np.random.default_rng(round(1000 * snr_db)))


def resolution(pulses: Pulses, time: Array, energy: Array) -> Resolution:
    """Root mean square errors, no pulse left out."""
    return Resolution(
        float(np.sqrt(np.mean((time - pulses.time) ** 2))), float(np.sqrt(np.mean((energy - pulses.energy) ** 2)))
    )


def without_networks(detector: Detector, levels: tuple[float, ...], count: int) -> Table:
    """The bound and the classical estimators."""
    fixed: dict[str, Estimator] = {
        MATCHED: calibrated(detector, matched_filter(detector)),
        FRACTION: calibrated(detector, constant_fraction(detector)),
        EDGE: calibrated(detector, leading_edge(detector)),
    }
    table: Table = {method: {} for method in (BOUND, OPTIMAL, *BASELINES)}
    for level in levels:
        table[BOUND][level] = bound(detector, level)
        pulses = evaluation(detector, level, count)
        for method, estimate in {**fixed, OPTIMAL: optimal_filter(detector, level)}.items():
            table[method][level] = resolution(pulses, *estimate(pulses.counts.astype(float)))
    return table


@dataclass(frozen=True)
class Promise:
    """Something that must hold, in words, with the numbers."""

    words: str
    kept: bool


def promises(table: Table) -> list[Promise]:
    """What the example promises of a table that has the networks too."""
    at, least = table[FLOAT][PAPER_DB].time, table[BOUND][PAPER_DB].time
    found = [
        Promise(f"float network, time at {PAPER_DB} dB: {at / least:.2f} × the bound (at most 1.5)", at <= 1.5 * least)
    ]
    for level in [level for level in table[FLOAT] if level < 30]:
        best = min(table[method][level].time for method in BASELINES)
        ours = table[FLOAT][level].time
        text = f"float network, time at {level:g} dB: {ours / best:.3f} × the best baseline (below 1)"
        found.append(Promise(text, ours < best))
    for level in [level for level in table[CHIP] if level <= PAPER_DB]:
        chip, floating = table[CHIP][level], table[FLOAT][level]
        worst = max(chip.time / floating.time, chip.energy / floating.energy)
        found.append(Promise(f"int8, time and energy at {level:g} dB: {worst:.3f} × float (at most 1.1)", worst <= 1.1))
    return found
