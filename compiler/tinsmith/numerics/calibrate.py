"""Streams calibration samples through the float model and turns what is seen into ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from tinsmith.calibration_data import FloatArray
from tinsmith.errors import Problems
from tinsmith.numerics.calibrators import RealRange, mse_range, percentile_range
from tinsmith.numerics.float_run import FloatRun
from tinsmith.numerics.groups import GridClass
from tinsmith.numerics.observers import Histogram, Range
from tinsmith.recipe import LayerSettings


@dataclass(frozen=True)
class Statistics:
    """What was seen of one value; the histogram is None where its calibrator needs none."""

    range: Range
    histogram: Histogram | None = None


def observe(
    model: ir.Model,
    samples: Mapping[str, FloatArray],
    classes: list[GridClass],
    settings: Mapping[ir.Value, LayerSettings],
) -> dict[str, Statistics]:
    """Statistics by name of every value whose range counts.

    Two passes over the samples where a calibrator needs histograms, one where none does; no activation is kept.

    Raises:
        TinsmithError: the float model makes NaN or infinity from these samples.
    """
    sources = {value.name or "": value for members in classes for value in members.sources}
    ranges = {name: Range() for name in sources}
    run = FloatRun(model, list(sources))
    for found in run.run_all(samples):
        for name, array in found.items():
            ranges[name].update(array)
    _check_finite(ranges)
    histograms = {
        name: Histogram(ranges[name].lo, ranges[name].hi)
        for name, value in sources.items()
        if settings[value].calibrator != "min-max" and settings[value].range is None
    }
    if histograms:
        for found in run.run_all(samples):
            for name, histogram in histograms.items():
                histogram.update(found[name])
    return {name: Statistics(ranges[name], histograms.get(name)) for name in sources}


def calibrated_range(seen: Statistics, settings: LayerSettings, non_negative: bool, wide: bool = False) -> RealRange:
    """The range that the layer's calibrator chooses, or the one that the recipe gives; `wide` for 16 bits."""
    if settings.range is not None:
        return settings.range[0], settings.range[1]
    if seen.histogram is None:
        return seen.range.lo, seen.range.hi
    if settings.calibrator == "percentile":
        return percentile_range(seen.histogram, settings.percentile, one_sided=non_negative)
    return mse_range(
        seen.histogram,
        non_negative=non_negative,
        asymmetric=settings.asymmetric,
        powers_of_two=settings.powers_of_two,
        wide=wide,
    )


def _check_finite(ranges: Mapping[str, Range]) -> None:
    problems = Problems()
    for name, seen in ranges.items():
        if not seen.finite:
            problems.add(
                f"value {name!r} becomes NaN or infinite",
                where="float model",
                why="a range that is not finite has no scale",
                fix="check that the samples are scaled as in training",
            )
    problems.check()
