"""Machines of adder graphs in VHDL: every layer the oracle's in GHDL, changed sources found, large layers refused."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from exact_models import Net
from exact_wide import sixteen
from rtl_nets import bits, integers, pieces, skewed, tables
from rtl_run import need_ghdl
from test_machine import make_test
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.rtl.backend import RtlBackend

need_ghdl()
pytest.importorskip("da4ml", reason="da4ml is not installed")

TARGET = "rtl-vhdl"


def build(net: Net, folder: Path, samples: int = 2) -> tuple[RtlBackend, list[dict[str, np.ndarray]]]:
    folder.mkdir(parents=True)
    backend, graph = RtlBackend().configured(TARGET, {"interval": "4096"}), net.graph()
    assert backend.problems(graph, TARGET) == []
    backend.build(graph, TARGET, folder, lambda name: contextlib.nullcontext())
    ir.save(net.model(), folder.parent / "exact.onnx")
    oracle = Oracle(folder.parent / "exact.onnx")
    inputs = [net.sample(seed, extreme=seed % 2 == 0) for seed in range(samples)]
    expected = [dict(oracle.run(sample)) for sample in inputs]
    backend.write_vectors(graph, TARGET, folder, inputs, expected)
    return backend, expected


@pytest.mark.parametrize(
    "make",
    [bits, sixteen, *(pytest.param(make, marks=pytest.mark.slow) for make in (integers, pieces, tables, skewed))],
)
def test_every_layer_in_vhdl_is_the_oracles(make: Callable[[], Net], tmp_path: Path) -> None:
    net = make()
    backend, expected = build(net, tmp_path / "p")
    runner = backend.runner(tmp_path / "p", net.graph(), TARGET)
    samples = [net.sample(seed, extreme=seed % 2 == 0) for seed in range(2)]
    for right, got in zip(expected, runner.run(samples), strict=True):
        assert [tensor for tensor, values in got.items() if not np.array_equal(values, right[tensor])] == []
    assert runner.constants() == backend.expected_constants(net.graph(), TARGET)


def test_the_bench_in_vhdl_fails_where_adders_subtract(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    backend, _ = build(bits(), folder)
    source = next((folder / "src").glob("adders_shift_matmul_6_stage0.vhd"))
    changed = source.read_text().replace("IS_SUB=>0", "IS_SUB=>1")
    assert changed != source.read_text()
    assert "PASS=3 FAIL=0" in make_test(folder)
    source.write_text(changed)
    assert make_test(folder).endswith("exit:error")
    assert backend.runner(folder, bits().graph(), TARGET).constants() != backend.expected_constants(
        bits().graph(), TARGET
    )


def test_a_layer_too_large_for_adders_is_refused() -> None:
    net = Net(1, "large")
    x = net.quantize(net.input("x", (1, 64, 4, 4)))
    net.dequantize(net.conv(x, 16, pads=(1, 1, 1, 1)))
    problems = RtlBackend().problems(net.graph(), TARGET)
    assert [problem.fix for problem in problems] == ["compile for rtl-verilog, which has matrix-vector units too"]


@pytest.mark.parametrize(("kind", "most"), [("requantize", 64), ("add", 45), ("average_pool", 32)])
def test_layers_that_keep_channels_apart_are_matrices_too(kind: str, most: int) -> None:
    for channels in (most, most + 1):
        net = Net(1, kind)
        x = net.quantize(net.input("x", (1, channels, 2, 2)))
        more = {"add": (x,), "average_pool": ((2, 2),)}.get(kind, ())
        net.dequantize(getattr(net, kind)(x, *more))
        assert (RtlBackend().problems(net.graph(), TARGET) == []) == (channels == most)


@pytest.mark.parametrize("size", [4, 5])
def test_constants_of_every_value_of_an_image_are_a_matrix_of_all_of_them(size: int) -> None:
    net = Net(6, "values")
    x = net.flatten(net.conv(net.quantize(net.input("x", (1, 3, size, size))), 4, (1, 1)))
    net.dequantize(net.binary_matmul(net.binarize(x), 9))
    assert (RtlBackend().problems(net.graph(), TARGET) == []) == (4 * size * size <= 64)
