"""Chooses every grid and every weight scale of a model: calibration samples and a recipe in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from tinsmith.calibration_data import FloatArray
from tinsmith.errors import Problems, TinsmithError
from tinsmith.ir.provenance import layer_name, source
from tinsmith.numerics.accumulators import accumulators
from tinsmith.numerics.bit_readers import check_bits
from tinsmith.numerics.calibrate import Statistics, calibrated_range, observe
from tinsmith.numerics.given import before_pair, dequantized_grid, given_grid
from tinsmith.numerics.grid import Grid, grid_for
from tinsmith.numerics.groups import GridClass, Group, data_inputs, find_groups, grid_classes, never_negative
from tinsmith.numerics.known_ranges import known_ranges
from tinsmith.numerics.observers import Range
from tinsmith.numerics.weights import accumulator_scales, threshold_scales, weight_scales
from tinsmith.numerics.widths import wide_values
from tinsmith.recipe import LayerSettings, Recipe


@dataclass(frozen=True)
class Scheme:
    """How a canonical model is quantized.

    Attributes:
        groups: the layers.
        grids: by value name, the grid of each graph input and each layer's output; none for bits and accumulators.
        weight_scales: by the name of the head node's output value, the scales (channels,) of a real-valued weight.
        kept: layers whose activations stay 8 bit although the recipe would have 16, and why.
    """

    groups: tuple[Group, ...]
    grids: Mapping[str, Grid]
    weight_scales: Mapping[str, FloatArray]
    kept: tuple[tuple[str, str], ...] = ()


def choose_scheme(model: ir.Model, samples: Mapping[str, FloatArray] | None, recipe: Recipe) -> Scheme:
    """Calibrate a canonical model and choose all scales.

    Without samples, ranges are those that follow from the model (known_ranges.py).

    Raises:
        TinsmithError: there are no samples and a range does not follow from the model; a pattern of the recipe matches
            no layer; a layer cannot have the 16 bits that the recipe insists on; a value is NaN or infinite or too
            large for a scale; a bias is too large for a 32-bit accumulator; bits have readers that need both forms of
            them.
    """
    groups = find_groups(model)
    check_bits(groups)
    names = _names(model, groups)
    recipe.check_patterns(list(dict.fromkeys(name for known in names.values() for name in known)))
    settings = {value: recipe.settings(known) for value, known in names.items()}
    whole = accumulators(model, groups, settings)
    classes = grid_classes(model, [group for group in groups if group.output not in whole])
    _check_what_bits_are_given(groups, settings)
    wide, kept = wide_values(groups, classes, settings)
    if samples is None:
        statistics = _known(model, groups, classes, settings)
    else:
        statistics = observe(model, samples, classes, settings)
    lows = {name: seen.range.lo for name, seen in statistics.items()}
    positive = never_negative(model, groups, lows)
    problems = Problems()
    grids: dict[str, Grid] = {}
    for members in classes:
        grid = _class_grid(members, settings, statistics, positive, members.members[0] in wide, problems)
        grids |= {value.name or "": grid for value in members.members}
    problems.check()
    return Scheme(tuple(groups), grids, _all_weight_scales(groups, grids, settings, statistics), kept)


def _known(
    model: ir.Model, groups: list[Group], classes: list[GridClass], settings: Mapping[ir.Value, LayerSettings]
) -> dict[str, Statistics]:
    """What can be said without samples of every value that has no grid or range given."""
    ranges = known_ranges(model, groups)
    sources = [value for members in classes for value in members.sources]
    open_ = [v for v in sources if v not in ranges and settings[v].range is None and given_grid(v) is None]
    if open_:
        names = ", ".join(map(_place, open_[:3])) + (f" and {len(open_) - 3} more" if open_[3:] else "")
        why = f"the ranges of a float model's activations are measured on samples: {names}"
        fix = "--calibrate X.npz, or a calibrate.npz beside the model"
        raise TinsmithError("there are no calibration samples", why=why, fix=fix)
    return {
        value.name or "": Statistics(Range(lo, hi, count=1, square_sum=max(-lo, hi) ** 2))
        for value, (lo, hi) in ranges.items()
    }


def _check_what_bits_are_given(groups: list[Group], settings: Mapping[ir.Value, LayerSettings]) -> None:
    """Refuse a range, or 16 bits, that the recipe gives to what is one bit."""
    problems = Problems()
    for group in groups:
        told = settings[group.output]
        if group.is_8_bit:
            continue
        where, why = _place(group.output), "its output is one bit"
        if told.range is not None:
            fix = "leave the range out, or give it to a layer of 8 bits"
            problems.add(f"the recipe gives it the range {told.range}", where=where, why=why, fix=fix)
        if told.asks_for_16_bits and told.insists:
            problems.add("the recipe gives it 16 bits", where=where, why=why, fix="leave `activations` out for it")
    problems.check()


def _names(model: ir.Model, groups: list[Group]) -> dict[ir.Value, list[str]]:
    """By model input and layer output: the names under which a recipe may speak of the layer that makes it."""
    names = {value: [value.name or ""] for value in model.graph.inputs}
    return names | {group.output: [layer_name(node) for node in group.nodes] for group in groups}


def _class_grid(
    members: GridClass,
    settings: Mapping[ir.Value, LayerSettings],
    statistics: Mapping[str, Statistics],
    positive: set[ir.Value],
    wide: bool,
    problems: Problems,
) -> Grid:
    """One grid for all members: the one that the model gives the sources, else one that holds every source's range.

    It is asymmetric if any member asks for it, but for one of 16 bits.
    """
    given = [given_grid(value) for value in members.sources]
    if any(grid is not None for grid in given):
        return _given_grid(members, given, settings, problems)
    asymmetric = any(settings[value].asymmetric for value in members.members)
    powers_of_two = any(settings[value].powers_of_two for value in members.members)
    non_negative = all(value in positive for value in members.members)
    try:
        ends = [
            calibrated_range(statistics[value.name or ""], settings[value], value in positive, wide)
            for value in members.sources
        ]
        ends += [(chosen[0], chosen[1]) for value in members.members if (chosen := settings[value].range) is not None]
        lo, hi = min(end[0] for end in ends), max(end[1] for end in ends)
        kinds = {"asymmetric": asymmetric, "powers_of_two": powers_of_two, "wide": wide}
        return grid_for(lo, hi, non_negative=non_negative, **kinds)
    except ValueError as error:
        problems.add(
            str(error),
            where=_place(members.sources[0]),
            why="stored values need a finite scale",
            fix="check the model's weights and the calibration samples",
        )
        return Grid(1.0, 0, "int8")


def _given_grid(
    members: GridClass,
    given: list[Grid | None],
    settings: Mapping[ir.Value, LayerSettings],
    problems: Problems,
) -> Grid:
    found = list(dict.fromkeys(given))
    if len(found) > 1:
        names = ", ".join(repr(value.name) for value in members.sources)
        scales = ", ".join("none" if grid is None else f"{grid.scale:g}" for grid in found)
        why = f"the model gives {names}, which are moved together, different scales: {scales}"
        fix = "quantize the inputs of a Concat with one scale"
        problems.add("it joins values of several grids", where=_place(members.members[-1]), why=why, fix=fix)
    for value in members.members:
        if settings[value].range is not None:
            why = "the model says which grid the value has, and that is kept"
            problems.add("the recipe gives it a range", where=_place(value), why=why, fix="leave the range out")
    return next(grid for grid in found if grid is not None)


def _all_weight_scales(
    groups: list[Group],
    grids: Mapping[str, Grid],
    settings: Mapping[ir.Value, LayerSettings],
    statistics: Mapping[str, Statistics],
) -> dict[str, FloatArray]:
    problems = Problems()
    scales: dict[str, FloatArray] = {}
    for group in groups:
        if group.head.op_type not in {"Conv", "Gemm"}:
            continue
        try:
            scales[group.head.outputs[0].name or ""] = _weight_scales(group, grids, settings, statistics)
        except OverflowError as error:
            problems.add(
                str(error),
                where=_place(group.output),
                why=f"its largest bias is {np.abs(constant(group.head, 2)).max():g}",
                fix="check the layer's bias, or give its input a wider range in the recipe",
            )
    problems.check()
    return scales


def _weight_scales(
    group: Group,
    grids: Mapping[str, Grid],
    settings: Mapping[ir.Value, LayerSettings],
    statistics: Mapping[str, Statistics],
) -> FloatArray:
    weight, bias = channels_first_weight(group.head)
    per_channel = settings[group.output].weights == "per-channel"
    x = data_inputs(group.head)[0]
    fed = before_pair(x).name or ""
    grid = dequantized_grid(x) or grids[fed]
    if not group.is_8_bit:
        return threshold_scales(weight, per_channel=per_channel, input_bits=grid.bits)
    if settings[group.output].output == "accumulator":
        return accumulator_scales(weight, bias, input_scale=grid.scale, input_bits=grid.bits)
    # Where values were only moved (pooled, say), nothing was measured: the largest value bounds the mean.
    rms = statistics[fed].range.rms if fed in statistics else max(map(abs, grid.limits))
    return weight_scales(
        weight,
        bias,
        input_scale=grid.scale,
        output_scale=grids[group.output.name or ""].scale,
        input_rms=rms,
        per_channel=per_channel,
        powers_of_two=settings[group.output].powers_of_two,
        input_bits=grid.bits,
    )


def channels_first_weight(head: ir.Node) -> tuple[FloatArray, FloatArray]:
    """Weight as (output channels, …) and bias (output channels,) of a Conv or Gemm."""
    weight, bias = (constant(head, index) for index in (1, 2))
    return (weight.T if head.op_type == "Gemm" else weight), bias.reshape(-1)


def constant(node: ir.Node, index: int) -> FloatArray:
    """The initializer that is input `index` of `node`."""
    value = node.inputs[index]
    if value is None or value.const_value is None:
        raise ValueError(f"input {index} of {node.op_type} {node.name!r} is no constant")
    return value.const_value.numpy()


def _place(value: ir.Value) -> str:
    node = value.producer()
    if node is None:
        return f"input {value.name!r}"
    return f"{node.op_type} {layer_name(node)!r} ({source(node)})"
