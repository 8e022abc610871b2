"""Zero points in machines: padding, sums and endings have them in their constants, and none is forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from exact_models import Net, random_net
from ort_models import SAMPLES, quantized_by_onnxruntime
from rtl_nets import skewed
from rtl_run import need_icarus
from test_machine import TARGET, build
from tinsmith import pipeline, verbs
from tinsmith_backends.rtl.backend import RtlBackend

need_icarus()

KINDS = (
    *("conv", "depthwise", "grouped", "matmul", "add", "requantize", "average_pool", "max_pool", "concat", "table"),
    *("shift_conv", "shift_grouped", "piecewise_linear", "multiply_constant", "binary_conv", "conv_threshold"),
    "conv_accumulator",
)
RANDOM = [("conv", 1, "auto")]
MORE = [pytest.param(kind, 3, way, marks=pytest.mark.slow) for kind in KINDS for way in ("auto", "mvu")]


def wrong(
    net: Net, folder: Path, interval: int, kind: str, change: Callable[[str], str] = str, samples: int = 4
) -> list[str]:
    """Tensors that are not the oracle's, of a machine whose top module was changed."""
    backend, expected = build(net, interval, folder / "p", kind=kind, samples=samples)
    (top,) = (folder / "p" / "src").glob("*_top.sv")
    top.write_text(change(top.read_text()))
    runner = backend.runner(folder / "p", net.graph(), TARGET)
    given = [net.sample(seed, extreme=seed % 3 == 0) for seed in range(samples)]
    return [
        tensor
        for right, got in zip(expected, runner.run(given), strict=True)
        for tensor, values in got.items()
        if not np.array_equal(values, right[tensor])
    ]


@pytest.mark.parametrize(("kind", "interval"), [("mvu", 2000), ("auto", 60)])
def test_every_engine(kind: str, interval: int, tmp_path: Path) -> None:
    assert wrong(skewed(), tmp_path, interval, kind) == []


def random_skewed(kind: str, seed: int) -> Net:
    """A random net that engines do, with a zero point somewhere."""
    for attempt in range(seed * 1000, seed * 1000 + 400):
        net = random_net(attempt, kind, extreme=attempt % 3 == 0)
        skew = any(tensor.zero_point for tensor in net.tensors.values())
        if skew and RtlBackend().problems(net.graph(), TARGET) == []:
            return net
    raise AssertionError(f"no {kind} among 400 keeps the rules")


@pytest.mark.parametrize(("kind", "count", "way"), [*RANDOM, *MORE])
def test_random_networks(kind: str, count: int, way: str, tmp_path: Path) -> None:
    for seed in range(count):
        net = random_skewed(kind, seed)
        assert wrong(net, tmp_path / str(seed), 100_000 if way == "mvu" else 6000, way) == []


DIGIT = {
    "PAD": r"\.PAD\(.*?([0-9a-f])\)",
    "START": r"\.START\(.*?([0-9a-f])\)",
    "OFFSET": r"\.OFFSET\(64'shf*([0-9a-e])",  # the last digits are fractions of a step
}
"""Where a digit of a zero point stands."""


@pytest.mark.parametrize("name", ["PAD", *(pytest.param(name, marks=pytest.mark.slow) for name in ("OFFSET", "START"))])
def test_a_flipped_bit_of_a_zero_point_is_found(name: str, tmp_path: Path) -> None:
    def flipped(text: str) -> str:
        found = re.search(DIGIT[name], text)
        assert found is not None
        return f"{text[: found.start(1)]}{int(found[1], 16) ^ 1:x}{text[found.end(1) :]}"

    assert wrong(skewed(), tmp_path, 2000, "mvu", flipped, samples=1) != []


def test_a_network_that_onnxruntime_quantized(tmp_path: Path) -> None:
    quantized_by_onnxruntime(tmp_path, symmetric=False)
    exact = pipeline.quantize(tmp_path / "net.onnx", {"x": SAMPLES}, tmp_path / "exact.onnx")
    pipeline.compile(exact, TARGET, tmp_path / "b", settings={"interval": "1024"})
    artefact = verbs.Artefact.open(tmp_path / "b")
    assert {tensor.zero_point for tensor in artefact.graph.tensors.values()} - {0}
    found = verbs.verify(tmp_path / "b", samples=4)
    assert found.exact and found.layers_compared >= 5, found.first_mismatch
