"""Grids, calibrators, weight scales and the ratio of signal to quantization noise."""

import math

import numpy as np
import pytest
from canonical_models import Canonical
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith.ir.exact import ExactGraph, Requantization, Requantize, Tensor
from tinsmith.numerics.calibrate import calibrated_range, observe
from tinsmith.numerics.calibrators import mse_range, percentile_range, squared_error
from tinsmith.numerics.float_run import FloatRun
from tinsmith.numerics.grid import LARGEST_RANGE, grid_for
from tinsmith.numerics.groups import find_groups, grid_classes
from tinsmith.numerics.observers import Histogram, Range
from tinsmith.numerics.sqnr import Sqnr, float_name, layer_sqnr
from tinsmith.numerics.weights import SMALLEST_PART, quantize_weight, weight_scales
from tinsmith.recipe import Recipe

REALS = st.floats(-1e6, 1e6, width=32)
SETTINGS = Recipe().settings([])


def histogram(values: np.ndarray, parts: int = 1) -> Histogram:
    """What streaming `values` in `parts` pieces leaves."""
    found = Histogram(float(values.min()), float(values.max()))
    for piece in np.array_split(values, parts):
        found.update(piece)
    return found


@given(lo=REALS, hi=REALS, asymmetric=st.booleans())
def test_a_grid_holds_its_range_and_zero(lo: float, hi: float, asymmetric: bool) -> None:
    lo, hi = min(lo, hi), max(lo, hi)
    grid = grid_for(lo, hi, non_negative=lo >= 0, asymmetric=asymmetric)
    assert np.float32(grid.scale) == grid.scale > 0
    assert 0 <= grid.zero_point <= 255 and (asymmetric or grid.zero_point == 0)
    assert (grid.dtype == "uint8") == (lo >= 0 or (asymmetric and max(-lo, hi) >= 2**-60))
    low, high = grid.limits
    assert low <= min(lo, 0) + grid.scale * 0.51 and high >= max(hi, 0) - grid.scale * 0.51
    assert grid.round_trip(np.zeros(1))[0] == 0


@pytest.mark.parametrize("ends", [(0.0, float("inf")), (float("nan"), 1.0), (0.0, 4 * LARGEST_RANGE)])
def test_a_range_without_a_scale_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="too large"):
        grid_for(*ends, non_negative=False, asymmetric=False)


def test_a_histogram_does_not_depend_on_how_the_values_come() -> None:
    values = np.random.default_rng(0).laplace(0, 1, 10_000).astype(np.float32)
    values[::3] = 0
    whole, pieces = histogram(values), histogram(values, 7)
    assert (whole.counts == pieces.counts).all()
    assert whole.zeros == pieces.zeros == np.count_nonzero(values == 0)
    assert whole.counts.sum() + whole.zeros == len(values)
    assert np.dot(whole.counts, whole.centres) == pytest.approx(values.sum(dtype=float), abs=1e-3 * len(values))


@pytest.mark.parametrize("share", [99.0, 99.9])
def test_percentile_keeps_that_share_of_the_values(share: float) -> None:
    values = np.random.default_rng(1).normal(0, 1, 200_000).astype(np.float32)
    lo, hi = percentile_range(histogram(values), share, one_sided=False)
    assert np.mean((values >= lo) & (values <= hi)) * 100 == pytest.approx(share, abs=0.05)
    positive = np.maximum(values, 0)
    lo, hi = percentile_range(histogram(positive), share, one_sided=True)
    assert lo == 0
    assert np.mean(positive <= hi) * 100 == pytest.approx(share, abs=0.05)


def test_percentile_100_is_min_max() -> None:
    values = np.random.default_rng(2).normal(3, 1, 1000).astype(np.float32)
    assert percentile_range(histogram(values), 100, one_sided=False) == pytest.approx((values.min(), values.max()))


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("non_negative", [False, True])
def test_mse_gives_less_error_than_the_full_range_where_there_are_outliers(
    asymmetric: bool, non_negative: bool
) -> None:
    values = np.random.default_rng(3).normal(0, 1, 100_000).astype(np.float32)
    values = np.abs(values) if non_negative else values
    values[0] = 15
    kinds = {"non_negative": non_negative, "asymmetric": asymmetric}

    def error(lo: float, hi: float) -> float:
        return float(((values - grid_for(lo, hi, **kinds).round_trip(values.astype(float))) ** 2).sum())

    lo, hi = mse_range(histogram(values), **kinds)
    full = float(values.min()), float(values.max())
    assert error(lo, hi) < 0.95 * error(*full)
    assert error(lo, hi) <= 1.02 * min(error(part * full[0], part * full[1]) for part in np.linspace(0.05, 1, 96))
    assert squared_error(histogram(values), grid_for(lo, hi, **kinds)) == pytest.approx(error(lo, hi), rel=0.1)


def test_16_bits_clip_an_outlier_only_where_the_finer_steps_pay_for_it() -> None:
    """A step is finer than a bin of the histogram, so the error of rounding is not in its centres."""
    values = np.random.default_rng(3).normal(0, 1, 100_000).astype(np.float32)
    values[0] = 15
    kinds = {"non_negative": False, "asymmetric": False, "wide": True}
    lo, hi = mse_range(histogram(values), **kinds)
    assert hi == 15
    grid = grid_for(lo, hi, **kinds)
    assert (grid.dtype, grid.zero_point, grid.bits) == ("int16", 0, 16)
    real = float(((values - grid.round_trip(values.astype(float))) ** 2).sum())
    assert squared_error(histogram(values), grid) == pytest.approx(real, rel=0.02)


def test_mse_keeps_a_uniform_range_whole() -> None:
    values = np.random.default_rng(4).uniform(-1, 1, 100_000).astype(np.float32)
    lo, hi = mse_range(histogram(values), non_negative=False, asymmetric=False)
    assert max(-lo, hi) > 0.97


@pytest.mark.parametrize("value", [0.0, 2.5, -2.5])
def test_every_calibrator_takes_a_constant_tensor(value: float) -> None:
    values = np.full(50, value, np.float32)
    seen = Range(value, value)
    for calibrator in ("min-max", "percentile", "mse"):
        found = histogram(values) if calibrator != "min-max" else None
        recipe = Recipe(calibrator=calibrator)  # type: ignore[arg-type]
        from tinsmith.numerics.calibrate import Statistics

        lo, hi = calibrated_range(Statistics(seen, found), recipe.settings([]), value >= 0)
        grid = grid_for(lo, hi, non_negative=value >= 0, asymmetric=False)
        assert grid.round_trip(np.array([value]))[0] == pytest.approx(value, rel=0.01)


def test_observe_streams_and_skips_what_it_need_not_see() -> None:
    net = Canonical()
    x = net.input("x", (1, 1, 4, 4))
    net.output(net.op("Relu", net.conv(x, np.ones((1, 1, 1, 1), np.float32), bias=np.zeros(1, np.float32), name="c")))
    model = net.model()
    samples = {"x": np.linspace(-2, 3, 3 * 16, dtype=np.float32).reshape(3, 1, 1, 4, 4)}
    classes = grid_classes(model, find_groups(model))
    wanted = {v: SETTINGS.model_copy(update={"calibrator": "min-max"}) for c in classes for v in c.members}
    wanted[model.graph.inputs[0]] = SETTINGS
    seen = observe(model, samples, classes, wanted)
    assert set(seen) == {"x", "relu_1.out"}  # not the convolution's own output: the Relu absorbed it
    assert (seen["x"].range.lo, seen["x"].range.hi) == (-2, 3)
    assert seen["x"].histogram is not None and seen["x"].histogram.counts.sum() == 48
    assert (seen["relu_1.out"].range.lo, seen["relu_1.out"].range.hi) == (0, 3)
    assert seen["relu_1.out"].histogram is None


def scales_of(
    weight: np.ndarray, bias: np.ndarray, *, input_scale: float = 0.01, input_rms: float = 1.0, per_channel: bool = True
) -> np.ndarray:
    return weight_scales(
        weight, bias, input_scale=input_scale, output_scale=0.05, input_rms=input_rms, per_channel=per_channel
    )


def test_weight_scales_are_the_largest_weight_over_127() -> None:
    weight = np.random.default_rng(5).normal(0, 1, (6, 4, 3, 3)).astype(np.float32)
    scales = scales_of(weight, np.zeros(6, np.float32))
    assert scales == pytest.approx(np.abs(weight).max(axis=(1, 2, 3)) / 127)
    one = scales_of(weight, np.zeros(6, np.float32), per_channel=False)
    assert one == pytest.approx(np.full(6, np.abs(weight).max() / 127))


def test_dead_channels_take_the_largest_scale() -> None:
    weight = np.ones((4, 9), np.float32)
    weight[1], weight[2] = 0, 1e-30
    scales = scales_of(weight, np.full(4, 0.3, np.float32))
    assert (scales == scales[0]).all()
    assert (quantize_weight(weight, scales)[[1, 2]] == 0).all()


def test_weak_channels_are_raised_only_as_far_as_does_no_harm() -> None:
    rng = np.random.default_rng(8)
    weight = rng.normal(0, 1, (12, 200)) * 2.0 ** -np.arange(12)[:, None]
    weight = weight.astype(np.float32)
    scales = scales_of(weight, np.zeros(12, np.float32), input_rms=0.2)
    plain = np.abs(weight).max(axis=1) / 127
    assert (scales >= plain * 0.999).all() and (scales > 1.5 * plain).sum() >= 3
    x = np.abs(rng.normal(0, 0.2, (200, 2000)))
    error = (weight - quantize_weight(weight, scales) * scales[:, None]) @ x
    raised = scales > 1.01 * plain
    assert np.sqrt(np.mean(error[raised] ** 2, axis=1)).max() < 0.05 / 32


def test_no_scale_is_below_the_smallest_part() -> None:
    weight = np.ones((2, 9), np.float32)
    weight[1] = 1e-6
    scales = scales_of(weight, np.zeros(2, np.float32), input_rms=1e9)
    assert scales[1] == pytest.approx(scales[0] * SMALLEST_PART)


def test_a_tensor_without_weights_still_states_its_bias() -> None:
    scales = scales_of(np.zeros((2, 9), np.float32), np.array([0.3, -1], np.float32))
    steps = np.rint(np.array([0.3, -1]) / (0.01 * scales))
    assert steps * 0.01 * scales == pytest.approx([0.3, -1], abs=0.05 / 1024)


@settings(max_examples=40)
@given(power=st.integers(0, 40), channels=st.integers(1, 4))
def test_bias_and_products_fit_the_accumulator(power: int, channels: int) -> None:
    rng = np.random.default_rng(power)
    weight = rng.normal(0, 1e-3, (channels, 64)).astype(np.float32)
    bias = (rng.choice([-1, 1], channels) * 2.0**power * rng.uniform(0.5, 1, channels)).astype(np.float32)
    scales = scales_of(weight, bias)
    stored = quantize_weight(weight, scales).astype(np.int64)
    steps = np.rint(np.abs(bias.astype(float)) / (0.01 * scales.astype(float)))
    assert (steps + 2 * 255 * np.abs(stored).sum(axis=1) <= 2**31).all()
    assert steps * 0.01 * scales == pytest.approx(np.abs(bias), rel=1e-6, abs=float(0.01 * scales.max()))


def test_a_bias_beyond_every_scale_is_refused() -> None:
    with pytest.raises(OverflowError, match="32-bit"):
        scales_of(np.ones((1, 4), np.float32), np.full(1, 3e38, np.float32), input_scale=2.0**-50)


def test_sqnr_of_known_noise() -> None:
    ratio = Sqnr()
    rng = np.random.default_rng(6)
    for _ in range(5):
        real = rng.normal(0, 1, 10_000)
        ratio.update(real, real + rng.normal(0, 0.1, 10_000))
    assert ratio.db == pytest.approx(20, abs=0.1)
    clean, silent = Sqnr(), Sqnr()
    clean.update(np.ones(3), np.ones(3))
    silent.update(np.zeros(3), np.ones(3))
    assert (clean.db, silent.db) == (math.inf, -math.inf)


def test_layer_sqnr_reads_stored_values_through_scale_and_zero_point() -> None:
    net = Canonical()
    x = net.input("x", (1, 4))
    net.output(net.op("Relu", x, name="r"))
    model = net.model()
    values = np.array([[[1.0, 2.0, 4.0, 8.0]]], np.float32)
    tensors = {
        "x_q": Tensor("x_q", (1, 4), "uint8", 0.5, 10, 0, 255),
        "r.out": Tensor("r.out", (1, 4), "uint8", 0.5, 10, 0, 255),
    }
    requant = Requantization(np.ones(1, np.int32), 1, 10, 0, 255, False)
    layer = Requantize(name="r", source="", inputs=("x_q",), output="r.out", requant=requant)
    graph = ExactGraph("net", ("x",), ("r.out",), tensors, (layer,))
    exact = {"x_q": np.zeros((1, 4)), "r.out": np.array([[12, 14, 18, 27]], np.uint8)}  # 1, 2, 4, 8.5
    found = layer_sqnr(FloatRun(model), graph, lambda _: exact, {"x": values})
    assert found == {"r": pytest.approx(10 * math.log10(85 / 0.25))}


def test_exact_names_lead_back_to_float_values() -> None:
    names = ["x", "y", "z"]
    assert [float_name(name, names) for name in ("y", "x_q", "z_q_", "w_q")] == ["y", "x", "z", None]
