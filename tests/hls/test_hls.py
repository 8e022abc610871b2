"""Every flow's C++ against the oracle, layer by layer, with ==."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import pytest
from exact_models import Net
from hls_nets import bits, integers
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

NETS = {"integers": integers, "bits": bits}
QUICK = [("hls-catapult", "integers"), ("hls-catapult", "bits")]
"""The flow that g++ compiles fastest; the others are slow tests."""
REST = [(target, net) for target in TARGETS for net in NETS if (target, net) not in QUICK]
ALL = [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in REST)]

Samples = list[dict[str, npt.NDArray[Any]]]


@dataclass(frozen=True)
class Project:
    """A project on disk, what it was built from, and samples with the oracle's tensors."""

    folder: Path
    graph: ExactGraph
    samples: Samples
    expected: Samples


def build(net: Net, target: str, folder: Path) -> Project:
    folder.mkdir(parents=True)
    graph = net.graph()
    assert BACKEND.problems(graph, target) == []
    BACKEND.build(graph, target, folder, lambda name: __import__("contextlib").nullcontext())
    ir.save(net.model(), folder.parent / "exact.onnx")
    oracle = Oracle(folder.parent / "exact.onnx")
    samples = [net.sample(seed, extreme=seed % 5 == 0) for seed in range(40)]
    expected = [dict(oracle.run(sample)) for sample in samples]
    BACKEND.write_vectors(graph, target, folder, samples[:4], expected[:4])
    return Project(folder, graph, samples, expected)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Project]:
    @cache
    def make(target: str, net: str) -> Project:
        return build(NETS[net](), target, tmp_path_factory.mktemp("hls") / "project")

    return make


@pytest.fixture(scope="module")
def running(project: Callable[[str, str], Project]) -> Callable[[str, str], Runner]:
    @cache
    def link(target: str, net: str) -> Runner:
        one = project(target, net)
        return BACKEND.runner(one.folder, one.graph, target)

    return link


@pytest.mark.parametrize(("target", "net"), ALL)
def test_every_layer_is_the_oracles(project: Any, running: Any, target: str, net: str) -> None:
    one = project(target, net)
    seen: set[str] = set()
    wrong: dict[str, int] = {}
    for expected, got in zip(one.expected, running(target, net).run(one.samples), strict=True):
        seen |= set(got)
        for name, values in got.items():
            assert values.dtype == expected[name].dtype and values.shape == expected[name].shape, name
            if not np.array_equal(values, expected[name]):
                wrong[name] = wrong.get(name, 0) + 1
    assert wrong == {}
    assert seen >= {layer.output for layer in one.graph.layers if layer.kind not in ("Quantize", "Reshape")}


@pytest.mark.parametrize(
    ("target", "net"), [ALL[1], *(pytest.param(*case, marks=pytest.mark.slow) for case in [QUICK[0], *REST])]
)
def test_the_projects_own_test_passes_and_finds_a_flipped_bit(project: Any, target: str, net: str) -> None:
    one = project(target, net)
    test = ["make", "--no-print-directory", "CXXFLAGS=-O0", "test"]
    done = subprocess.run(test, cwd=one.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "passed: 4 samples" in done.stdout, done.stderr[-500:]
    vectors = one.folder / "tinsmith_vectors.h"
    right = vectors.read_text()
    last = right.rindex("},")
    start = max(right.rindex(word, 0, last) for word in (", ", "{ "))
    number = int(right[start + 2 : last])
    vectors.write_text(f"{right[: start + 2]}{number ^ 1} {right[last:]}")
    failed = subprocess.run(test, cwd=one.folder, capture_output=True, text=True, check=False)
    vectors.write_text(right)
    assert failed.returncode != 0 and "FAILED: sample 3" in failed.stdout


def test_a_flipped_bit_in_a_weight_file_is_found(project: Any, running: Any) -> None:
    one, runner = project(*QUICK[0]), running(*QUICK[0])
    expected = BACKEND.expected_constants(one.graph, QUICK[0][0])
    assert runner.constants() == expected
    file = next(path for path in sorted((one.folder / "firmware" / "weights").iterdir()) if path.suffix == ".h")
    right = file.read_bytes()
    digit = next(i for i in range(len(right) - 1, 0, -1) if chr(right[i]).isdigit())
    file.write_bytes(right[:digit] + bytes([right[digit] ^ 1]) + right[digit + 1 :])
    try:
        assert runner.constants() != expected
    finally:
        file.write_bytes(right)


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_graph_gives_the_same_bytes(target: str, tmp_path: Path) -> None:
    first, second = (build(bits(), target, tmp_path / name / "p").folder for name in ("a", "longer/way"))
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for file in files:
        content = (first / file).read_bytes()
        assert content == (second / file).read_bytes(), file
        assert str(tmp_path).encode() not in content, file


def test_what_hls4ml_gets_wrong_is_refused_all_at_once() -> None:
    net = Net(5)
    x = net.quantize(net.input("x", (1, 4, 6, 6)), zero_point=12)
    y = net.max_pool(net.conv(x, 4, dtype="int8"), (2, 2), pads=(1, 1, 0, 0))
    net.dequantize(net.transpose(y, (0, 2, 1, 3)))
    net.softmax(net.matmul(net.reshape(net.conv(x, 4), (1, 16, 4)), 3))
    found = BACKEND.problems(net.graph(), "hls-vitis")
    reasons = " ".join(problem.why for problem in found)
    for word in ("zero point other than 0", "with zeros, which would win", "more than one row", "another order"):
        assert word in reasons
    assert sum("nothing that computes" in problem.why for problem in found) == 2
    assert all(problem.where for problem in found)


def test_the_simulation_is_not_timed(running: Any) -> None:
    with pytest.raises(TinsmithError, match="cannot be timed"):
        running(*QUICK[1]).time({}, repeats=1)


def test_least_types() -> None:
    assert least(0, 255) == Fixed(8, 8, False) and least(-128, 127) == Fixed(8, 8)
    assert least(0, 0) == Fixed(1, 1, False) and least(-1, 0) == Fixed(2, 2)
    assert least(0, 5, signed=True) == Fixed(4, 4) and least(-129, 0) == Fixed(9, 9)
    assert str(Fixed(8, 3, False, saturate=True)) == "ufixed<8,3,RND,SAT>"
