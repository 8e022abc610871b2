"""The pulse example: its physics, its bound, its estimators, and its network on a target."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/pulse"))

pytest.importorskip("torch")

import tinsmith
from pulse.detector import Detector, generate
from pulse.network import CHANNELS, STRIDE, as_input

FOLDER = Path(__file__).resolve().parents[2] / "examples/pulse"
DETECTOR = Detector()


def test_the_peak_of_a_pulse_is_one() -> None:
    t = np.linspace(-100, 500, 60_001)
    shape = DETECTOR.shape(t)
    assert abs(shape.max() - 1) < 1e-6 and shape.min() >= 0 and not shape[t <= 0].any()


@pytest.mark.parametrize("collection", [4.5, 6.0, 7.5])
def test_derivatives_are_those_of_the_shape(collection: float) -> None:
    t, h = np.linspace(1.0, 300.0, 400), 1e-4
    by_time = (DETECTOR.shape(t + h, collection) - DETECTOR.shape(t - h, collection)) / (2 * h)
    by_tau = (DETECTOR.shape(t, collection + h) - DETECTOR.shape(t, collection - h)) / (2 * h)
    np.testing.assert_allclose(DETECTOR.shape_by_time(t, collection), by_time, atol=1e-8)
    np.testing.assert_allclose(DETECTOR.shape_by_collection(t, collection), by_tau, atol=1e-8)


def test_charge_does_not_depend_on_the_collection_time() -> None:
    t = np.linspace(0, 2000, 200_001)
    charge = [np.trapezoid(DETECTOR.shape(t, tau), t) for tau in (4.5, 6.0, 7.5)]
    assert max(charge) / min(charge) - 1 < 1e-6


def test_noise_is_as_loud_and_as_correlated_as_said() -> None:
    quiet = Detector(amplitude=1e-9, baseline=2000.0, baseline_spread=0.0, bits=15)
    pulses = generate(quiet, 20_000, 20 * np.log10(1e-9 / 100), np.random.default_rng(1))
    noise = pulses.counts - 2000.0
    assert abs(noise.std() / 100 - 1) < 0.01
    found = np.cov(noise.T) / noise.var()
    np.testing.assert_allclose(found, DETECTOR.correlation, atol=0.04)


def test_words_are_taken_apart_without_loss() -> None:
    pulses = generate(DETECTOR, 5, 40.0, np.random.default_rng(2))
    x = as_input(pulses.counts)
    assert x.shape == (5, CHANNELS, DETECTOR.samples // STRIDE) and x.min() >= 0 and x.max() <= 255
    stream = x.transpose(0, 2, 1).reshape(5, DETECTOR.samples, 2)
    assert np.array_equal(stream[..., 0] * 16 + stream[..., 1], pulses.counts)


def test_the_untrained_network_is_exact_on_a_target(tmp_path: Path) -> None:
    samples = {"pulse": as_input(generate(DETECTOR, 32, 47.4, np.random.default_rng(0)).counts)}
    report = tinsmith.compile(f"{FOLDER / 'net.py'}:pulse_net", "c", tmp_path / "c", calibrate=samples)
    assert 10_000 <= report.macs <= 200_000
    assert tinsmith.verify(tmp_path / "c").exact
