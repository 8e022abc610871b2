"""Every flow's C++ against the oracle, layer by layer, with ==."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import pytest
from exact_models import Net, random_net
from exact_wide import random_chain, sixteen
from hls_nets import bits, integers, scaled, skewed, tables, vectors
from ort_models import SAMPLES, quantized_by_onnxruntime
from tinsmith import pipeline, verbs
from tinsmith.backend import Runner
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.hls.backend import BACKEND
from tinsmith_backends.hls.numbers import Fixed
from tinsmith_backends.hls.numbers import integers as least
from tinsmith_backends.hls.targets import TARGETS

pytest.importorskip("hls4ml", reason="hls4ml is not installed")
if shutil.which("g++") is None:
    pytest.skip("g++ is not installed", allow_module_level=True)

NETS = {
    "integers": integers,
    "apart": partial(integers, apart=True),
    "bits": bits,
    "vectors": vectors,
    "scaled": scaled,
    "tables": tables,
    "sixteen": sixteen,
    "skewed": skewed,
    "curved": partial(skewed, curved=True),
}
CURVED = ("tables", "curved")
"""Nets with tables, which some flows lack."""
SKEWED = (
    *("conv", "depthwise", "grouped", "matmul", "add", "requantize", "average_pool", "max_pool", "concat"),
    *("shift_conv", "shift_grouped", "piecewise_linear", "multiply", "multiply_constant", "binary_conv"),
    *("conv_threshold", "conv_accumulator"),
)
"""Kinds of random nets that have zero points in layers of this flow."""
WHOLE, STREAM = "io_parallel", "io_stream"
QUICK = [
    ("hls-catapult", "integers", WHOLE),
    ("hls-catapult", "bits", WHOLE),
    ("hls-catapult", "vectors", STREAM),
    ("hls-catapult", "scaled", WHOLE),
    ("hls-vivado", "tables", WHOLE),
    ("hls-catapult", "sixteen", WHOLE),
    ("hls-vitis", "sixteen", STREAM),
    ("hls-vivado", "curved", WHOLE),
]
"""The flow that g++ compiles fastest; the others are slow tests."""
OTHER = {WHOLE: "apart", STREAM: "integers"}
"""Streamed pools take windows that stand apart."""
EVERY = [
    (target, net, io_type) for target in TARGETS for io_type in (WHOLE, STREAM) for net in NETS if net != OTHER[io_type]
]
EVERY = [case for case in EVERY if case[1] not in CURVED or TARGETS[case[0]].tables]
REST = [pytest.param(*case, marks=pytest.mark.slow) for case in EVERY if case not in QUICK]

Samples = list[dict[str, npt.NDArray[Any]]]


@dataclass(frozen=True)
class Project:
    """A project on disk, what it was built from, and samples with the oracle's tensors."""

    folder: Path
    graph: ExactGraph
    samples: Samples
    expected: Samples


def build(net: Net, target: str, folder: Path, io_type: str = WHOLE) -> Project:
    folder.mkdir(parents=True)
    graph = net.graph()
    backend = BACKEND.configured(target, {"io_type": io_type})
    assert backend.problems(graph, target) == []
    backend.build(graph, target, folder, lambda name: contextlib.nullcontext())
    ir.save(net.model(), folder.parent / "exact.onnx")
    oracle = Oracle(folder.parent / "exact.onnx")
    samples = [net.sample(seed, extreme=seed % 5 == 0) for seed in range(40)]
    expected = [dict(oracle.run(sample)) for sample in samples]
    BACKEND.write_vectors(graph, target, folder, samples[:4], expected[:4])
    return Project(folder, graph, samples, expected)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Project]:
    @cache
    def make(target: str, net: str, io_type: str) -> Project:
        return build(NETS[net](), target, tmp_path_factory.mktemp("hls") / "project", io_type)

    return make


@pytest.fixture(scope="module")
def running(project: Callable[[str, str, str], Project]) -> Callable[[str, str, str], Runner]:
    @cache
    def link(target: str, net: str, io_type: str) -> Runner:
        one = project(target, net, io_type)
        return BACKEND.runner(one.folder, one.graph, target)

    return link


@pytest.mark.parametrize(("target", "net", "io_type"), [*QUICK, *REST])
def test_every_layer_is_the_oracles(project: Any, running: Any, target: str, net: str, io_type: str) -> None:
    one = project(target, net, io_type)
    seen: set[str] = set()
    wrong: dict[str, int] = {}
    for expected, got in zip(one.expected, running(target, net, io_type).run(one.samples), strict=True):
        seen |= set(got)
        for name, values in got.items():
            assert values.dtype == expected[name].dtype and values.shape == expected[name].shape, name
            if not np.array_equal(values, expected[name]):
                wrong[name] = wrong.get(name, 0) + 1
    assert wrong == {}
    shown = {layer.output for layer in one.graph.layers if layer.kind not in ("Quantize", "Reshape")}
    assert seen >= (shown if (target, io_type) != ("hls-quartus", STREAM) else set(one.graph.outputs))


@pytest.mark.parametrize(
    ("target", "seed"),
    [
        ("hls-catapult", 1),
        *(pytest.param(target, seed, marks=pytest.mark.slow) for target in TARGETS for seed in range(2, 6)),
    ],
)
def test_random_networks_of_16_bits(target: str, seed: int, tmp_path: Path) -> None:
    one = build(random_chain(seed, zero_points=False), target, tmp_path / "p")
    for expected, got in zip(one.expected, BACKEND.runner(one.folder, one.graph, target).run(one.samples), strict=True):
        assert [name for name, values in got.items() if not np.array_equal(values, expected[name])] == []


@contextlib.contextmanager
def changed(file: Path, change: Callable[[str], str]) -> Iterator[None]:
    """A file with other text for a while."""
    right = file.read_text()
    file.write_text(change(right))
    assert file.read_text() != right
    try:
        yield
    finally:
        file.write_text(right)


def last_bit(text: str) -> str:
    """A list of vectors whose last value has another last bit."""
    end = text.rindex("},")
    start = max(text.rindex(word, 0, end) for word in (", ", "{ ")) + 2
    return f"{text[:start]}{int(text[start:end]) ^ 1} {text[end:]}"


def first_negated(text: str) -> str:
    """A file of weights with its first number that is not 0 negated."""
    head, brace, numbers = text.rpartition("{")
    return head + brace + re.sub(r"-?[1-9]\d*", lambda number: str(-int(number[0])), numbers, count=1)


def make_test(folder: Path) -> subprocess.CompletedProcess[str]:
    test = ["make", "--no-print-directory", "CXXFLAGS=-O0", "test"]
    return subprocess.run(test, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("target", "net", "io_type"), [QUICK[1], *REST])
def test_the_projects_own_test_passes_and_finds_a_flipped_bit(
    project: Any, target: str, net: str, io_type: str
) -> None:
    folder = project(target, net, io_type).folder
    done = make_test(folder)
    assert done.returncode == 0 and "passed: 4 samples" in done.stdout, done.stderr[-500:]
    kind = "h" if target == "hls-quartus" else "txt"  # others read weights when they run
    weights = max((folder / "firmware" / "weights").glob(f"w*.{kind}"), key=lambda path: int(path.stem[1:]))
    with changed(weights, first_negated):
        failed = make_test(folder)
        assert failed.returncode != 0 and "FAILED: sample" in failed.stdout
    with changed(folder / "tinsmith_vectors.h", last_bit):
        failed = make_test(folder)
        assert failed.returncode != 0 and "FAILED: sample 3" in failed.stdout


def test_a_flipped_bit_in_a_weight_file_is_found(project: Any, running: Any) -> None:
    one, runner = project(*QUICK[0]), running(*QUICK[0])
    expected = BACKEND.expected_constants(one.graph, QUICK[0][0])
    assert runner.constants() == expected
    file = next(path for path in sorted((one.folder / "firmware" / "weights").iterdir()) if path.suffix == ".h")
    with changed(file, lambda text: re.sub(r"\d(?=\D*$)", lambda digit: str(int(digit[0]) ^ 1), text)):
        assert runner.constants() != expected
    assert runner.constants() == expected


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_graph_gives_the_same_bytes(target: str, tmp_path: Path) -> None:
    first, second = (build(bits(), target, tmp_path / name / "p").folder for name in ("a", "longer/way"))
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for file in files:
        content = (first / file).read_bytes()
        assert content == (second / file).read_bytes(), file
        assert str(tmp_path).encode() not in content, file


def test_a_project_has_one_stamp_whatever_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stamp of digits alone is quoted in YAML, so that replacing it afterwards would leave the quotes."""
    monkeypatch.setattr(uuid, "uuid4", lambda: "00000000-0000-0000-0000-000012345678")
    config = build(bits(), "hls-vitis", tmp_path / "p").folder / "hls4ml_config.yml"
    assert "Stamp: tinsmith\n" in config.read_text(encoding="utf-8")


def test_what_hls4ml_gets_wrong_is_refused_all_at_once() -> None:
    net = Net(5)
    x = net.quantize(net.input("x", (1, 4, 6, 6)))
    y = net.max_pool(net.conv(x, 4, dtype="int8"), (2, 2), pads=(1, 1, 0, 0))
    net.dequantize(net.transpose(y, (0, 2, 1, 3)))
    net.softmax(net.matmul(net.reshape(net.conv(x, 4), (1, 16, 4)), 3))
    found = BACKEND.problems(net.graph(), "hls-vitis")
    reasons = " ".join(problem.why for problem in found)
    for word in (
        "with zeros, which would win",
        "more than one row",
        "another order",
    ):
        assert word in reasons
    assert sum("nothing that computes" in problem.why for problem in found) == 2
    assert all(problem.where for problem in found)


@pytest.mark.parametrize("target", TARGETS)
def test_streamed_pools_stand_apart(target: str) -> None:
    (problem,) = BACKEND.configured(target, {"io_type": STREAM}).problems(integers().graph(), target)
    assert "MaxPool" in problem.where and "overlap" in problem.why and "io_parallel" in problem.fix
    assert BACKEND.problems(integers().graph(), target) == []


def test_tables_of_a_flow_without_them_are_refused() -> None:
    for target, flow in TARGETS.items():
        reasons = [problem.why for problem in BACKEND.problems(tables().graph(), target)]
        assert len(reasons) == (0 if flow.tables else 6) and all("table of its results" in why for why in reasons)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SKEWED)
def test_random_networks_with_zero_points(kind: str, tmp_path: Path) -> None:
    nets = (random_net(seed, kind, extreme=seed % 3 == 0) for seed in range(400))
    net = next(
        net
        for net in nets
        if any(tensor.zero_point for tensor in net.tensors.values()) and not BACKEND.problems(net.graph(), QUICK[0][0])
    )
    one = build(net, QUICK[0][0], tmp_path / "p")
    runner = BACKEND.runner(one.folder, one.graph, QUICK[0][0])
    for expected, got in zip(one.expected, runner.run(one.samples), strict=True):
        assert [name for name, values in got.items() if not np.array_equal(values, expected[name])] == []


def test_a_network_that_onnxruntime_quantized(tmp_path: Path) -> None:
    quantized_by_onnxruntime(tmp_path, symmetric=False)
    exact = pipeline.quantize(tmp_path / "net.onnx", {"x": SAMPLES}, tmp_path / "exact.onnx")
    pipeline.compile(exact, QUICK[0][0], tmp_path / "b")
    artefact = verbs.Artefact.open(tmp_path / "b")
    assert {tensor.zero_point for tensor in artefact.graph.tensors.values()} - {0}
    found = verbs.verify(tmp_path / "b", samples=16)
    assert found.exact and found.layers_compared >= 5, found.first_mismatch


def test_the_simulation_is_not_timed(running: Any) -> None:
    with pytest.raises(TinsmithError, match="cannot be timed"):
        running(*QUICK[1]).time({}, repeats=1)


def test_least_types() -> None:
    assert least(0, 255) == Fixed(8, 8, False) and least(-128, 127) == Fixed(8, 8)
    assert least(0, 0) == Fixed(1, 1, False) and least(-1, 0) == Fixed(2, 2)
    assert least(0, 5, signed=True) == Fixed(4, 4) and least(-129, 0) == Fixed(9, 9)
    assert str(Fixed(8, 3, False, saturate=True)) == "ufixed<8,3,RND,SAT>"
