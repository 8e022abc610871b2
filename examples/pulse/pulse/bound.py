"""The least error that any estimator can have: the Cramér–Rao bound, with what is known beforehand (van Trees)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pulse.detector import Array, Detector, generate

QUANTIZATION = 1 / 12
"""Variance of rounding to whole counts, taken as white noise beside the detector's."""
PARAMETERS = ("time", "energy", "baseline", "collection")


@dataclass(frozen=True)
class Resolution:
    """Root mean square errors: of the arrival time in sampling periods, and of the energy in units of its mean."""

    time: float
    energy: float


def covariance(detector: Detector, snr_db: float) -> Array:
    """(samples, samples) covariance of the noise in counts, quantization included."""
    rms = detector.noise_rms(snr_db)
    return np.asarray(rms**2 * detector.correlation + QUANTIZATION * np.eye(detector.samples))


def derivatives(detector: Detector, time: Array, energy: Array, collection_ns: Array) -> Array:
    """(n, samples, 4) of the mean counts by time (periods), energy, baseline (counts) and collection time (ns)."""
    t = detector.times_ns - detector.period_ns * time[:, None]
    tau, height = collection_ns[:, None], detector.amplitude * energy[:, None]
    columns = (
        -detector.period_ns * height * detector.shape_by_time(t, tau),
        detector.amplitude * detector.shape(t, tau),
        np.ones_like(t),
        height * detector.shape_by_collection(t, tau),
    )
    return np.stack(columns, axis=-1)


def prior(detector: Detector) -> Array:
    """(4, 4) information that the spreads of energy, baseline and collection time give; the time has none."""
    spreads = (
        detector.energy_spread,
        detector.baseline_spread,
        detector.collection_spread * detector.collection_ns,
    )
    return np.diag([0.0, *(1 / spread**2 for spread in spreads)])


def information(detector: Detector, snr_db: float, time: Array, energy: Array, collection_ns: Array) -> Array:
    """(n, 4, 4) Fisher information about the parameters of n pulses: slopes' * inverse covariance * slopes."""
    slopes = derivatives(detector, time, energy, collection_ns)
    return np.asarray(slopes.transpose(0, 2, 1) @ (np.linalg.inv(covariance(detector, snr_db)) @ slopes))


def bound(detector: Detector, snr_db: float, pulses: int = 2000, seed: int = 7) -> Resolution:
    """The bound at one signal-to-noise ratio, averaged over `pulses` as the detector makes them.

    The information about time, energy and both nuisances is inverted together, so not knowing baseline and collection
    time costs what it must.
    """
    truth = generate(detector, pulses, snr_db, np.random.default_rng(seed))
    found = information(detector, snr_db, truth.time, truth.energy, truth.collection_ns) + prior(detector)
    variance = np.linalg.inv(found).diagonal(axis1=1, axis2=2).mean(axis=0)
    return Resolution(float(np.sqrt(variance[0])), float(np.sqrt(variance[1])))
