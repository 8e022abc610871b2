"""The pulse example: its physics, its bound, its estimators, and its network on a target."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/pulse"))

pytest.importorskip("torch")

import pulse.__main__ as program
import tinsmith
import torch
from pulse.bound import PARAMETERS, QUANTIZATION, Resolution, bound, derivatives, information
from pulse.chip import exact_answers, quantize, quantize_16, refusal, target_answers
from pulse.classical import calibrated, constant_fraction, leading_edge, matched_filter, optimal_filter
from pulse.detector import Detector, generate
from pulse.fitting import Schedule, fit_level
from pulse.germanium import BASELINE, DECAY, trapezoid
from pulse.network import CHANNELS, STRIDE, PulseNet, as_input, as_words, deployed, deployed_16, estimates, targets
from pulse.results import BOUND, CHIP, FLOAT, METHODS, PAPER_DB, evaluation, promises, resolution
from pulse.rounding import equalize, measure_ranges, rounded, under_rounding
from pulse.training import Training, as_tensor
from tinsmith.errors import TinsmithError

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


def test_derivatives_of_the_model_are_finite_differences() -> None:
    state = {"time": np.array([1.3]), "energy": np.array([1.1]), "collection_ns": np.array([6.4])}

    def mean(time: np.ndarray, energy: np.ndarray, collection_ns: np.ndarray, baseline: float = 200.0) -> np.ndarray:
        t = DETECTOR.times_ns - DETECTOR.period_ns * time[:, None]
        return DETECTOR.amplitude * energy[:, None] * DETECTOR.shape(t, collection_ns[:, None]) + baseline

    found, h = derivatives(DETECTOR, **state), 1e-5
    for place, name in enumerate(PARAMETERS):
        key = "collection_ns" if name == "collection" else name
        ends = [{**state, key: state[key] + s * h} if key in state else {**state, key: s * h} for s in (1, -1)]
        np.testing.assert_allclose(found[0, :, place], (mean(**ends[0]) - mean(**ends[1]))[0] / (2 * h), atol=2e-3)


@pytest.mark.parametrize("snr_db", [30.0, 47.4])
def test_the_optimal_filter_reaches_the_bound_and_does_not_pass_it(snr_db: float) -> None:
    """3000 pulses tell a root mean square to 1.3 %: three of these below, and as much above."""
    pulses = evaluation(DETECTOR, snr_db, 3000)
    found = resolution(pulses, *optimal_filter(DETECTOR, snr_db)(pulses.counts.astype(float)))
    least = bound(DETECTOR, snr_db)
    assert 0.96 < found.time / least.time < 1.04
    assert 0.96 < found.energy / least.energy < 1.04


def test_white_noise_has_the_textbook_information() -> None:
    """About the energy: sum of shape**2 / sigma**2; about the time: sum of slope**2 / sigma**2."""
    white = Detector(corner_mhz=1e-9)
    one = np.ones(1)
    found = information(white, 40.0, one, one, 6.0 * one)[0]
    variance = 16.0**2 + QUANTIZATION
    h = 1e-4
    shape, later, sooner = (1600 * white.shape(white.times_ns - 8.0 * (1 + d)) for d in (0, h, -h))
    assert np.isclose(found[1, 1], np.sum(shape**2) / variance)
    assert np.isclose(found[0, 0], np.sum(((later - sooner) / (2 * h)) ** 2) / variance, rtol=1e-5)


def test_estimators_know_time_and_energy_of_quiet_pulses() -> None:
    """Without shape spread and nearly without noise, what is left is interpolation."""
    clean = Detector(collection_spread=1e-6, baseline_spread=1e-6)
    pulses = evaluation(clean, 75.0, 500)
    for make, time, energy in (
        (leading_edge, 0.15, 0.02),
        (constant_fraction, 0.05, 0.02),
        (matched_filter, 0.003, 0.001),
    ):
        found = resolution(pulses, *calibrated(clean, make(clean))(pulses.counts.astype(float)))
        assert found.time < time and found.energy < energy, make.__name__


def test_words_are_taken_apart_without_loss() -> None:
    pulses = generate(DETECTOR, 5, 40.0, np.random.default_rng(2))
    x = as_input(pulses.counts)
    assert x.shape == (5, CHANNELS, DETECTOR.samples // STRIDE) and x.min() >= 0 and x.max() <= 255
    stream = x.transpose(0, 2, 1).reshape(5, DETECTOR.samples, 2)
    assert np.array_equal(stream[..., 0] * 16 + stream[..., 1], pulses.counts)


def test_tensors_are_the_same_input() -> None:
    counts = generate(DETECTOR, 7, 30.0, np.random.default_rng(2)).counts
    assert np.array_equal(as_tensor(torch.tensor(counts).float()).numpy(), as_input(counts))


def test_answers_and_targets_are_each_other() -> None:
    time, energy = np.array([0.3, 3.9]), np.array([0.8, 1.2])
    np.testing.assert_allclose(estimates(DETECTOR, targets(DETECTOR, time, energy).numpy()), [time, energy], atol=1e-6)


def test_equal_channels_leave_the_answers() -> None:
    torch.manual_seed(3)
    net = PulseNet(DETECTOR).eval()
    x = torch.from_numpy(as_input(evaluation(DETECTOR, 40.0, 32).counts))
    with torch.no_grad():
        before, head = net(x), net.head.weight.clone()
        equalize(net, x)
        np.testing.assert_allclose(net(x), before, atol=1e-5)
    assert not torch.equal(net.head.weight, head)


def test_rounding_is_the_grid_between_ends() -> None:
    x = torch.tensor([-0.3, 0.0, 0.0021, 0.5, 2.0], requires_grad=True)
    y = rounded(x, (0.0, 1.0))
    assert torch.allclose(y * 255, (y * 255).round(), atol=1e-4) and y[0] == 0 and y[-1] == 1
    y.sum().backward()
    assert x.grad is not None and x.grad.tolist() == [0, 1, 1, 1, 0]
    assert set((rounded(torch.linspace(-1, 1, 999), (-1.0, 1.0)) * 127).round().int().tolist()) == set(range(-127, 128))


TINY = Schedule(
    Training(steps=30, batch=64, shapes=512),
    Training(steps=20, batch=64, shapes=512, rate=1e-3, settled_db=np.inf),
    Training(steps=10, batch=64, shapes=512, rate=1e-3, settled_db=np.inf),
)


def test_training_under_rounding_is_what_the_compiler_does(tmp_path: Path) -> None:
    """The torch model under rounding and the exact integers differ by few steps of a sum, the float model by more."""
    torch.manual_seed(0)
    fitted = fit_level(PulseNet(DETECTOR), 40.0, TINY)
    inputs = as_input(evaluation(DETECTOR, 40.0, 64).counts)
    exact = quantize(fitted.rounding, fitted.ranges, inputs, tmp_path)
    answers = exact_answers(exact, inputs)
    x = torch.from_numpy(inputs)
    with torch.no_grad():
        floating = fitted.rounding(x).numpy()
        with under_rounding(fitted.rounding, fitted.ranges):
            simulated = fitted.rounding(x).numpy()
        assert np.array_equal(fitted.rounding(x).numpy(), floating), "rounding leaves the network as it was"
        np.testing.assert_allclose(deployed(fitted.rounding)(x).numpy(), floating, atol=1e-5)
    assert np.sqrt(np.mean((answers - simulated) ** 2)) < 0.7 * np.sqrt(np.mean((answers - floating) ** 2))
    assert set(measure_ranges(fitted.floating, x)) == set(fitted.ranges)


def test_a_target_that_answers_otherwise_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = as_input(evaluation(DETECTOR, 40.0, 8).counts)
    net = PulseNet(DETECTOR)
    exact = quantize(net, measure_ranges(net, torch.from_numpy(inputs)), inputs, tmp_path)
    answers = target_answers(exact, "c", inputs, tmp_path / "c")
    assert np.array_equal(answers, exact_answers(exact, inputs))
    other = np.nextafter(answers, np.float32(9))
    monkeypatch.setattr("pulse.chip.exact_answers", lambda *_: np.where(np.arange(8)[:, None] == 5, other, answers))
    with pytest.raises(TinsmithError, match="1 of 8 answers differ"):
        target_answers(exact, "c", inputs, tmp_path / "again")


def test_16_bits_read_whole_samples_and_answer_as_float_does(tmp_path: Path) -> None:
    torch.manual_seed(4)
    net = PulseNet(DETECTOR).eval()
    counts = evaluation(DETECTOR, 40.0, 24).counts
    parts = as_input(counts)
    words = as_words(parts)
    assert np.array_equal(words.transpose(0, 2, 1).reshape(24, -1), counts)
    with torch.no_grad():
        real = net(torch.from_numpy(parts)).numpy()
        np.testing.assert_allclose(deployed_16(net)(torch.from_numpy(words)).numpy(), real, atol=1e-5)
    exact = quantize_16(net, words, tmp_path / "16")
    few, mixed = quantize(net, measure_ranges(net, torch.from_numpy(parts)), parts, tmp_path / "8"), tmp_path / "mixed"
    wide_error, mixed_error = (
        np.abs(exact_answers(path, words) - real).max() for path in (exact, quantize_16(net, words, mixed, ["join"]))
    )
    assert wide_error < mixed_error < np.abs(exact_answers(few, parts) - real).max()
    assert refusal(exact, "c") == ""
    assert np.array_equal(target_answers(exact, "c", words[:8], tmp_path / "c"), exact_answers(exact, words[:8]))


def test_a_target_that_does_not_take_the_network_says_why(tmp_path: Path) -> None:
    inputs = as_input(evaluation(DETECTOR, 40.0, 8).counts)
    exact = quantize(PulseNet(DETECTOR), {}, inputs, tmp_path)
    assert refusal(exact, "soc") == "" and "no engine" in refusal(exact, "rtl-verilog")


def test_promises_are_about_the_table() -> None:
    even = {method: {level: bound(DETECTOR, level, 50) for level in (20.0, PAPER_DB)} for method in METHODS}
    assert [promise.kept for promise in promises(even)] == [
        True,
        False,
        True,
        True,
    ]  # level with a baseline: not better
    worse = {**even, CHIP: {level: worsened(even[BOUND][level]) for level in even[BOUND]}, FLOAT: even[BOUND]}
    assert [promise.kept for promise in promises(worse)][2:] == [False, False]


def worsened(found: Resolution) -> Resolution:
    return Resolution(found.time * 1.2, found.energy)


def test_the_trapezoid_measures_a_decaying_step() -> None:
    since = np.arange(64) - 21.5
    step = BASELINE + 1000 * np.clip(since, 0, 1) * np.exp(-np.maximum(since, 0) / DECAY)
    assert abs(trapezoid(step[None])[0] / 1000 - 1) < 0.01


def test_the_untrained_network_is_exact_on_a_target(tmp_path: Path) -> None:
    samples = {"pulse": as_input(generate(DETECTOR, 32, 47.4, np.random.default_rng(0)).counts)}
    report = tinsmith.compile(f"{FOLDER / 'net.py'}:pulse_net", "c", tmp_path / "c", calibrate=samples)
    assert 10_000 <= report.macs <= 200_000
    assert tinsmith.verify(tmp_path / "c").exact


@pytest.mark.slow
def test_the_whole_program_with_next_to_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every step runs, tables and picture are there, and promises that do not hold are told and make the status 1."""
    monkeypatch.setattr(program, "EVALUATED", 300)
    monkeypatch.setattr(program, "EXACT", 100)
    monkeypatch.setattr(program, "ON_TARGET", 10)
    monkeypatch.setattr(program, "LEVELS", (20.0, PAPER_DB))
    status = program.main(["-o", str(tmp_path), "--target", "c", "--data", str(tmp_path / "none")], TINY)
    printed = capsys.readouterr().out
    assert status == 1 and "BROKEN" in printed and "kept" in printed
    assert all(method in printed for method in METHODS) and "60 ps" in printed and "no germanium pulses" in printed
    assert "10 pulses on c: every bit of every answer is the oracle's" in printed
    assert (tmp_path / "resolution.png").stat().st_size > 10_000
    assert (tmp_path / "47.4dB/pulse_net.exact.onnx").is_file() and (tmp_path / "c/report.json").is_file()
