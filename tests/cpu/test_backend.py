"""Every target against the oracle, layer by layer, with ==."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cpu_nets import Built, build
from exact_models import KINDS, random_net
from tinsmith.backend import Runner
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.cpu.backend import BACKEND
from tinsmith_backends.cpu.targets import TARGETS

Make = Callable[[str], Built]
Link = Callable[[str, str], Runner]

RUNNERS = [
    ("x86-64", "native"),
    ("arm64", "qemu-aarch64"),
    ("arm64-dotprod", "qemu-aarch64"),
    ("armv7", "qemu-arm"),
    ("wasm", "wasmtime"),
    ("wasm", "node"),
    ("c", "native"),
    ("cortex-m", "qemu-arm"),
    ("cortex-m", "native"),
]


def need(runner: str) -> None:
    if runner not in ("native", "wasmtime") and shutil.which(runner) is None:
        pytest.skip(f"{runner} is not installed")


@pytest.fixture(scope="module")
def running(built: Callable[[str], Built]) -> Callable[[str, str], Runner]:
    """`running(target, runner)`: linked once for all tests of this file."""

    @cache
    def make(target: str, runner: str) -> Runner:
        need(runner)
        one = built(target)
        return BACKEND.runner(one.folder, one.graph, target, runner)

    return make


def differences(one: Built, running: Runner) -> list[str]:
    """Names of tensors that differ from the oracle's, or are missing."""
    wrong = []
    for expected, got in zip(one.expected, running.run(one.samples), strict=True):
        assert set(got) == set(one.graph.tensors) - set(one.graph.inputs)
        for name, values in got.items():
            right = expected[name]
            if values.dtype != right.dtype or values.shape != right.shape or not np.array_equal(values, right):
                wrong.append(name)
    for expected, got in zip(one.expected, running.run(one.samples, layers=False), strict=True):
        assert set(got) == set(one.graph.outputs)
        wrong += [name for name, values in got.items() if not np.array_equal(values, expected[name])]
    return wrong


@pytest.mark.parametrize(("target", "runner"), RUNNERS)
def test_every_tensor_is_the_oracles(built: Make, running: Link, target: str, runner: str) -> None:
    assert differences(built(target), running(target, runner)) == []


@pytest.mark.parametrize(("target", "runner"), RUNNERS)
def test_constants_are_the_expected_ones(built: Make, running: Link, target: str, runner: str) -> None:
    one = built(target)
    constants = running(target, runner).constants()
    assert constants == BACKEND.expected_constants(one.graph, target)
    kinds = {key.rpartition("/")[2] for key in constants}
    plain = {"weight", "bias", "multiplier", "table"}
    assert kinds == plain | ({f"portable {kind}" for kind in plain} if target == "cortex-m" else set())
    layers = {layer.name for layer in one.graph.layers}
    assert {key.rpartition("/")[0] for key in constants} <= layers


@pytest.mark.parametrize(("target", "runner"), RUNNERS)
def test_inferences_are_timed(built: Make, running: Link, target: str, runner: str) -> None:
    link, sample = running(target, runner), built(target).samples[0]
    begin = time.perf_counter()
    seconds = link.time(sample, repeats=4)
    assert len(seconds) == 4
    assert 0 < sum(seconds) < time.perf_counter() - begin


def test_numbers_of_a_build(built: Callable[[str], Built]) -> None:
    for target in TARGETS:
        one = built(target)
        numbers, names = one.build, [layer.name for layer in one.graph.layers]
        assert numbers.arena_bytes >= numbers.arena_lower_bound_bytes > 0
        assert [row.name for row in numbers.layers] == names
        assert sum(row.weight_bytes for row in numbers.layers) <= numbers.weight_bytes
        assert 500 < numbers.code_bytes < 80_000
        assert all(row.kernel for row in numbers.layers)


@pytest.mark.parametrize("target", ["wasm", "c"])
def test_an_estimate_is_what_a_build_reports(built: Callable[[str], Built], target: str) -> None:
    one = built(target)
    found = BACKEND.estimate(one.graph, target)
    assert found.whole.values["weight_bytes"] == one.build.weight_bytes
    assert found.whole.values["arena_bytes"] == one.build.arena_bytes
    assert {row.name: (row.choice, row.values["weight_bytes"]) for row in found.layers} == {
        layer.name: (layer.kernel, layer.weight_bytes) for layer in one.build.layers
    }
    assert found.whole.values["MACs"] == sum(row.values["MACs"] for row in found.layers) > 0


@pytest.mark.parametrize(
    "target", ["c", *(pytest.param(name, marks=pytest.mark.slow) for name in TARGETS if name != "c")]
)
def test_equal_graphs_give_equal_bytes(built: Callable[[str], Built], target: str, tmp_path: Path) -> None:
    from cpu_nets import everything

    one = built(target)
    again = tmp_path / "a folder of another name" / "and depth" / "x"
    build(everything(), target, again)
    files = {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}
    assert len(files) >= 5
    for path, data in files.items():
        assert data == (one.folder / path).read_bytes(), path
        assert str(tmp_path).encode() not in data


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_random_nets(target: str, kind: str, tmp_path: Path) -> None:
    for seed in range(2):
        net = random_net(seed, kind, extreme=seed == 1)
        oracle = Oracle(net.model())
        samples = [net.sample(i, extreme=i == 1) for i in range(2)]
        folder = tmp_path / str(seed)
        numbers = build(net, target, folder)
        one = Built(folder, numbers, net.graph(), target, samples, [dict(oracle.run(s)) for s in samples])  # type: ignore[arg-type]
        assert differences(one, BACKEND.runner(folder, one.graph, target)) == []
