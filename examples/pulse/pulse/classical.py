"""What is done without networks: leading edge, constant fraction, matched filter, and the optimal filter.

Each estimator takes (n, samples) counts and gives time (n,), in sampling periods after the trigger, and energy (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pulse.bound import covariance, derivatives, prior
from pulse.detector import Array, Detector, generate

Estimator = Callable[[Array], tuple[Array, Array]]


def leading_edge(detector: Detector, part: float = 0.2) -> Estimator:
    """Time where the rising edge passes a fixed height, `part` of the mean amplitude; energy from the peak."""

    def estimate(counts: Array) -> tuple[Array, Array]:
        level, _, place, peak = _peaks(detector, counts)
        return _crossing(detector, level, place, np.full(len(level), part * detector.amplitude)), peak

    return estimate


def constant_fraction(detector: Detector, part: float = 0.3) -> Estimator:
    """Time where the rising edge passes `part` of the pulse's own peak; energy from the peak."""

    def estimate(counts: Array) -> tuple[Array, Array]:
        level, height, place, peak = _peaks(detector, counts)
        return _crossing(detector, level, place, part * height), peak

    return estimate


def matched_filter(detector: Detector, steps: int = 64) -> Estimator:
    """The shift and height of the mean pulse that fit best by least squares, as if noise were white and shapes equal.

    The baseline is the mean of the samples before the trigger. Shifts are tried in `steps` parts of a period, with a
    parabola through the best three.
    """
    shifts = np.arange(-2 * steps, round((detector.jitter + 2) * steps) + 1) / steps
    shapes = detector.amplitude * detector.shape(detector.times_ns - detector.period_ns * shifts[:, None])
    norms = np.linalg.norm(shapes, axis=1)

    def estimate(counts: Array) -> tuple[Array, Array]:
        score = _without_baseline(detector, counts) @ (shapes / norms[:, None]).T
        best = np.clip(score.argmax(1), 1, len(shifts) - 2)
        left, middle, right = (score[np.arange(len(score)), best + k] for k in (-1, 0, 1))
        bend = left - 2 * middle + right
        offset = np.where(bend < 0, np.clip((left - right) / (2 * np.minimum(bend, -1e-12)), -0.5, 0.5), 0.0)
        return shifts[best] + offset / steps, middle / norms[best]

    return estimate


def optimal_filter(detector: Detector, snr_db: float, iterations: int = 8) -> Estimator:
    """The most probable time, energy, baseline and collection time, knowing the noise's covariance and all spreads.

    Gauss–Newton from the matched filter's answer. In double precision and with a matrix for each pulse it is no
    candidate for an FPGA; it shows that the bound can be reached.
    """
    inverse, weights = np.linalg.inv(covariance(detector, snr_db)), prior(detector)
    means = np.array([0.0, 1.0, detector.baseline, detector.collection_ns])
    start = matched_filter(detector)

    def estimate(counts: Array) -> tuple[Array, Array]:
        n = len(counts)
        time, energy = start(counts)
        state = np.stack([time, energy, np.full(n, means[2]), np.full(n, means[3])], axis=1)
        reach = np.array([0.5, 0.3, np.inf, 0.2 * detector.collection_ns])
        for _ in range(iterations):
            time, energy, baseline, collection = state.T
            t = detector.times_ns - detector.period_ns * time[:, None]
            model = detector.amplitude * energy[:, None] * detector.shape(t, collection[:, None]) + baseline[:, None]
            slopes = derivatives(detector, time, energy, collection)
            weighted = inverse @ slopes
            information = slopes.transpose(0, 2, 1) @ weighted + weights
            pull = (weighted.transpose(0, 2, 1) @ (counts - model)[..., None])[..., 0] + (means - state) @ weights
            state = state + np.clip(np.linalg.solve(information, pull[..., None])[..., 0], -reach, reach)
            limit = 4 * detector.collection_spread * detector.collection_ns
            state[:, 3] = np.clip(state[:, 3], means[3] - limit, means[3] + limit)
        return state[:, 0], state[:, 1]

    return estimate


@dataclass(frozen=True)
class Calibrated:
    """An estimator less its mean error of time and times its mean ratio of energy, as measured where noise is low."""

    raw: Estimator
    offset: float
    gain: float

    def __call__(self, counts: Array) -> tuple[Array, Array]:
        time, energy = self.raw(counts)
        return time - self.offset, energy * self.gain


def calibrated(detector: Detector, raw: Estimator, snr_db: float = 60.0, pulses: int = 4000) -> Calibrated:
    """`raw`, with offset and gain measured on pulses of known time and energy, as a laboratory would."""
    truth = generate(detector, pulses, snr_db, np.random.default_rng(11))
    time, energy = raw(truth.counts.astype(float))
    return Calibrated(raw, float(np.mean(time - truth.time)), float(truth.energy.mean() / energy.mean()))


def _without_baseline(detector: Detector, counts: Array) -> Array:
    return np.asarray(counts - counts[:, : detector.trigger].mean(axis=1, keepdims=True))


def _peaks(detector: Detector, counts: Array) -> tuple[Array, Array, Array, Array]:
    """Counts above the baseline, height and place of the peak (a parabola through three samples), and its energy."""
    level = _without_baseline(detector, counts)
    rows = np.arange(len(level))
    place = np.clip(level[:, detector.trigger :].argmax(1) + detector.trigger, 1, detector.samples - 2)
    left, middle, right = (level[rows, place + k] for k in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-9)
    height = middle - (left - right) ** 2 / (8 * bend)
    return level, height, place, height / detector.amplitude


def _crossing(detector: Detector, level: Array, peak: Array, height: Array) -> Array:
    """Where the edge before sample `peak` passes `height`, on the cubic through the four samples around it."""
    rows, before = np.arange(len(level)), np.arange(detector.samples)
    below = (level < height[:, None]) & (before < peak[:, None])
    first = np.clip(detector.samples - 1 - below[:, ::-1].argmax(1), 1, detector.samples - 3)
    a, b, c, d = (level[rows, first + k] for k in (-1, 0, 1, 2))
    low, high = np.zeros(len(level)), np.ones(len(level))
    for _ in range(30):
        u = (low + high) / 2
        value = b + u / 2 * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
        low, high = np.where(value < height, u, low), np.where(value < height, high, u)
    return np.asarray(first - detector.trigger + (low + high) / 2)
