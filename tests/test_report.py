"""Reports: the schema is in step, the numbers are the graph's, the page is self-contained."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import numpy as np
import onnx
import onnx_ir as ir
import pytest
from exact_models import Net, random_net
from tinsmith.backend import Build, LayerBuild, Target
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import Conv, ExactGraph
from tinsmith.ir.warnings import LayerWarning, warn, warnings_of
from tinsmith.report.html import quantity, render
from tinsmith.report.make import macs, make_report
from tinsmith.report.model import Report
from tinsmith.report.write import SCHEMA, read_report, schema, to_csv, write_report

TARGET = Target("arm64", "64-bit ARM", "qemu-aarch64")


@pytest.fixture(scope="module")
def graph() -> ExactGraph:
    return random_net(2, "residual").graph()


@pytest.fixture(scope="module")
def report(graph: ExactGraph) -> Report:
    parts = tuple(LayerBuild(layer.name, f"s8_{layer.kind.lower()}", 10 * i) for i, layer in enumerate(graph.layers))
    build = Build(2000, 1500, 700, 900, parts)
    sqnr = {graph.layers[0].name: float("inf"), graph.layers[1].name: 31.234, graph.layers[2].name: 28.5}
    return make_report(graph, build, TARGET, sqnr_db=sqnr, files=["b.c", "a.h", "report.json"], settings={"depth": "3"})


def test_schema_in_the_project_is_in_step() -> None:
    found = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert found == schema(), "bring it up to date with: python -m tinsmith.report.write"
    jsonschema.Draft202012Validator.check_schema(found)


def test_written_report_keeps_to_the_schema_and_reads_back(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path)
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    validator.validate(found)
    assert read_report(tmp_path) == report
    for broken in (found | {"memory": {}}, found | {"colour": 1}, found | {"generator": "x"}):
        assert not validator.is_valid(broken)


def test_keys_that_others_rely_on(report: Report, graph: ExactGraph) -> None:
    found = report.model_dump(mode="json")
    assert found["target"] == "arm64"
    sizes = {"arena_bytes": 2000, "arena_lower_bound_bytes": 1500, "weight_bytes": 700, "code_bytes": 900}
    assert found["memory"] == sizes
    keys = {"name", "source", "op", "weight_bits", "input_bits", "activation_bits", "density", "macs", "weight_bytes"}
    assert all(keys < set(layer) for layer in found["layers"])
    assert [layer["name"] for layer in found["layers"]] == [layer.name for layer in graph.layers]
    assert [layer["sqnr_db"] for layer in found["accuracy"]["layers"]] == [None, 31.23, 28.5]
    assert found["files"] == ["a.h", "b.c", "report.json"]


def test_macs_and_density_are_counted_from_the_layer(graph: ExactGraph, report: Report) -> None:
    conv = next(layer for layer in graph.layers if isinstance(layer, Conv))
    _, channels, height, width = graph.tensors[conv.output].shape
    _, inputs, rows, columns = conv.weight.shape
    assert macs(graph, conv) == channels * height * width * inputs * rows * columns
    row = next(layer for layer in report.layers if layer.name == conv.name)
    assert row.density == pytest.approx(np.mean(conv.weight != 0), abs=1e-4)
    assert (row.weight_bits, row.input_bits, row.activation_bits) == (8, 8, 8)
    assert report.macs == sum(layer.macs for layer in report.layers) > 0
    plain = next(layer for layer in report.layers if layer.op == "Add")
    assert (plain.weight_bits, plain.density, plain.macs) == (0, None, 0)


@pytest.mark.parametrize(
    ("kind", "op", "bits"),
    [
        ("binary_conv", "BinaryConv", (1, 1, 1)),
        ("conv_threshold", "Conv", (8, 8, 1)),
        ("binarize", "Binarize", (0, 8, 1)),
    ],
)
def test_achieved_bits(kind: str, op: str, bits: tuple[int, int, int]) -> None:
    graph = random_net(2, kind).graph()
    report = make_report(graph, Build(0, 0, 0, 0, ()), TARGET, sqnr_db={}, files=[])
    row = next(layer for layer in report.layers if layer.op == op)
    assert (row.weight_bits, row.input_bits, row.activation_bits) == bits
    assert (row.macs > 0) == bool(row.weight_bits)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_achieved_bits_of_shift_weights(bits: int) -> None:
    net = Net()
    net.dequantize(net.shift_matmul(net.quantize(net.input("x", (1, 6))), 5, bits))
    report = make_report(net.graph(), Build(0, 0, 0, 0, ()), TARGET, sqnr_db={}, files=[])
    row = report.layers[1]
    assert (row.op, row.weight_bits, row.density, row.macs) == ("ShiftMatMul", bits, 1.0, 30)


def test_warnings_go_from_the_model_to_the_report(graph: ExactGraph, report: Report) -> None:
    model = random_net(2, "residual").model()
    for _ in range(2):
        warn(model, "conv_1", "it stayed 8 bit: its input is no bit")
    again = ir.from_proto(onnx.ModelProto.FromString(ir.to_proto(model).SerializeToString()))
    warned = warnings_of(again)
    assert warned == (LayerWarning("conv_1", "it stayed 8 bit: its input is no bit"),)
    told = make_report(graph, Build(0, 0, 0, 0, ()), TARGET, sqnr_db={}, files=[], warned=warned)
    assert [(w.name, w.text) for w in told.warnings] == [("conv_1", "it stayed 8 bit: its input is no bit")]
    assert "it stayed 8 bit" in render(told) and "Warnings" not in render(report)


def test_damaged_warnings_are_refused() -> None:
    model = random_net(2, "residual").model()
    for text in ("[", "3", '["ab", 3]'):
        model.metadata_props["tinsmith.warnings"] = text
        with pytest.raises(TinsmithError, match="warnings cannot be read"):
            warnings_of(model)


def test_csv_has_a_row_a_layer(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(report))))
    assert [row["name"] for row in rows] == [layer.name for layer in report.layers]
    assert [int(row["macs"]) for row in rows] == [layer.macs for layer in report.layers]
    assert [row["sqnr_db"] for row in rows[:4]] == ["", "31.23", "28.5", ""]


class _Checker(HTMLParser):
    """Notes what a page loads, and that its tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        self.loads += [tag] if tag in ("script", "link", "iframe") else []
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_self_contained_and_escapes_names(report: Report) -> None:
    evil = report.model_copy(update={"name": "<script>alert(1)</script>"})
    page = render(evil)
    checker = _Checker()
    checker.feed(page)
    assert checker.loads == []
    assert checker.open == []
    assert "http" not in page
    assert "&lt;script&gt;" in page
    for layer in report.layers:
        assert layer.name in page
    assert re.search(r'class="n low">28\.5<', page), "the least faithful layer stands out"


def test_page_without_measurements(report: Report) -> None:
    bare = report.model_copy(update={"accuracy": report.accuracy.model_copy(update={"layers": ()}), "layers": ()})
    assert "least faithful" not in render(bare)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (1000, "1.00 k"), (12_502_144, "12.5 M"), (231_000_000, "231 M")]
)
def test_quantity_has_three_digits(value: int, text: str) -> None:
    assert quantity(value) == text
