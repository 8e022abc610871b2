"""Results of 32 bits in programs: the oracle's integers and floats on every target, in any order, and told apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cpu_nets import answered
from exact_models import Net
from test_backend import differences
from test_executor import SANITIZERS, STRICT, need, run, sources
from tinsmith_backends.cpu.backend import BACKEND
from tinsmith_backends.cpu.lower import lower
from tinsmith_backends.cpu.program import Moves
from tinsmith_backends.cpu.targets import TARGETS


def sums(name: str = "sums") -> Net:
    """Images, rows in a permuted order, and a flattened image; padded and asymmetric, past 24 bits, beside 8 bits."""
    net = Net(5, name, extreme=True)
    x = net.quantize(net.input("x", (1, 6, 9, 7)), zero_point=77)
    net.dequantize(net.conv(x, 10, (3, 2), pads=(1, 0, 2, 1), strides=(2, 1), group=2, bits=32))
    net.dequantize(net.flatten(net.conv(x, 3, (2, 2), bits=32)))
    hidden = net.conv(x, 8, (3, 3), dtype="int8", zero_point=-9)
    net.dequantize(net.matmul(net.reshape(net.transpose(hidden, (0, 2, 3, 1)), (1, 35, 8)), 5, bits=32))
    net.matmul(net.quantize(net.input("a", (1, 1200))), 3, bits=32)
    last = net.layers[-1]
    net.layers[-1] = replace(last, weight=np.full((1200, 3), 127, np.int8))  # type: ignore[call-arg]
    net.dequantize(last.output)
    net.dequantize(hidden)
    return net


@pytest.mark.parametrize(
    "target", ["c", "x86-64", *(pytest.param(t, marks=pytest.mark.slow) for t in TARGETS if t not in ("c", "x86-64"))]
)
def test_every_tensor_is_the_oracles(target: str, tmp_path: Path) -> None:
    one = answered(sums(), target, tmp_path / "build")
    largest = max(np.abs(v).max() for values in one.expected for v in values.values() if v.dtype == np.int32)
    assert largest > 2**24, "conversion to binary32 rounds"
    assert differences(one, BACKEND.runner(one.folder, one.graph, target)) == []


def test_one_wrong_bit_of_a_bias_is_seen(tmp_path: Path) -> None:
    one = answered(sums(), "c", tmp_path / "build")
    (layer,) = (layer for layer in one.graph.layers if layer.kind == "MatMul" and layer.weight.shape[0] == 1200)  # type: ignore[attr-defined]
    text = (one.folder / "sums_weights.c").read_text()
    folded = next(c for c in BACKEND.expected_constants(one.graph, "c").items() if c[0] == f"{layer.name}/bias")[1]
    last = str(int(np.frombuffer(folded, "<i4")[-1]))
    assert text.count(f" {last},") == 1
    (one.folder / "sums_weights.c").write_text(text.replace(f" {last},", f" {int(last) ^ 1},"))
    wrong = differences(one, BACKEND.runner(one.folder, one.graph, "c"))
    reader = next(each for each in one.graph.layers if layer.output in each.inputs)
    assert set(wrong) == {layer.output, reader.output}


def test_only_a_flattened_image_is_moved() -> None:
    steps = lower(sums().graph(), "scalar").steps
    assert [step.layer for step in steps if isinstance(step.body, Moves)] == ["dequantize_5"]


@pytest.mark.slow
def test_c_is_strict_and_clean_under_sanitizers(tmp_path: Path) -> None:
    need("gcc")
    one = answered(sums(), "c", tmp_path / "build")
    BACKEND.write_vectors(one.graph, "c", one.folder, one.samples, one.expected)
    files = [*sources(one.folder, "sums"), one.folder / "sums_test.c"]
    run("gcc", *STRICT, *SANITIZERS, *files, "-o", tmp_path / "test")
    assert run(tmp_path / "test") == "4 samples, 0 outputs differ\n"
