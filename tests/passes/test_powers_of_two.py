"""Scales of powers of two: requantization without a multiplier, chosen by the recipe, exact on every target."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from small_net import samples, small_net
from tinsmith import pipeline, verbs
from tinsmith.exact_file import load_exact
from tinsmith.ir.exact import Add, ExactGraph, ending_of
from tinsmith.ir.reader import read_exact
from tinsmith.recipe import parse_recipe

RECIPE = 'scales = "power-of-two"\n'


def quantized(folder: Path, recipe: str) -> Path:
    (folder / "r.toml").write_text(recipe)
    net = small_net(folder / "net.onnx")
    return pipeline.quantize(net, {"x": samples(40)}, folder / "net.exact.onnx", recipe=folder / "r.toml")


def multipliers(graph: ExactGraph) -> list[int]:
    found = [m for layer in graph.layers if (end := ending_of(layer)) for m in end.multiplier.tolist()]
    return found + [m for layer in graph.layers if isinstance(layer, Add) for m in layer.multipliers]


@pytest.mark.parametrize("keys", ["", 'calibrator = "min-max"\n', "asymmetric = true\n"])
def test_nothing_is_multiplied(keys: str, tmp_path: Path) -> None:
    graph = read_exact(load_exact(quantized(tmp_path, RECIPE + keys)))
    scales = [tensor.scale for tensor in graph.tensors.values() if tensor.scale]
    assert len(scales) > 6 and all(math.frexp(scale)[0] == 0.5 for scale in scales)
    assert any(layer.kind == "AveragePool" for layer in graph.layers)
    endings = [end for layer in graph.layers if (end := ending_of(layer))]
    assert len(endings) >= 5 and all((end.multiplier == 1).all() and not end.wide for end in endings)
    assert all(m.bit_count() == 1 for m in multipliers(graph))


def test_the_report_says_what_it_costs_and_saves(tmp_path: Path) -> None:
    reports = {}
    for name, recipe in (("real", ""), ("powers", RECIPE)):
        (tmp_path / name).mkdir()
        exact = quantized(tmp_path / name, recipe)
        reports[name] = pipeline.compile(exact, "c", tmp_path / name / "build")
        assert verbs.verify(tmp_path / name / "build", samples=12).exact
    left = {name: sum(layer.multipliers for layer in report.layers) for name, report in reports.items()}
    assert left["powers"] == 0 and left["real"] > 15
    decibels = {name: [layer.sqnr_db or 0 for layer in report.accuracy.layers] for name, report in reports.items()}
    assert 15 < decibels["powers"][-1] < decibels["real"][-1]


def test_a_range_of_the_recipe_is_held_by_the_next_power_of_two(tmp_path: Path) -> None:
    graph = read_exact(load_exact(quantized(tmp_path, RECIPE + "[layers.dense]\nrange = [-1.0, 3.0]\n")))
    tensor = graph.tensors[graph.layers[-1].inputs[0]]
    assert (tensor.scale, tensor.dtype) == (2.0**-5, "int8")  # 3 / 127 is above 2**-6
    assert np.log2(3 / 127) > -6 and not parse_recipe({}).settings(["dense"]).powers_of_two
