"""A network with smooth activations, from torch to every target: tables of results, and the same bits everywhere."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from tinsmith import pipeline, verbs
from tinsmith.artefact import Artefact
from tinsmith.ir.reader import read_exact
from tinsmith.verify.oracle import Oracle

pytest.importorskip("torch", reason="torch is not installed")

FILE = Path(__file__).parent / "models" / "activations.py"
NETWORK = f"{FILE}:network"
TOOLS = {
    "arm64": "qemu-aarch64",
    "armv7": "qemu-arm",
    "hls-vivado": "g++",
    "rtl-verilog": "iverilog",
    "soc": "g++",
}
SLOW = (
    "rtl-verilog",
    "x86-64",
    "arm64",
    "arm64-dotprod",
    "armv7",
    "wasm",
    "cortex-m",
    "hls-vitis",
    "hls-vivado",
)
TARGETS = ["c", "soc", *(pytest.param(target, marks=pytest.mark.slow) for target in SLOW)]


def images(count: int, seed: int) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(seed).normal(0, 1, (count, 2, 8, 8)).astype(np.float32)}


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("activations") / "exact.onnx"
    pipeline.quantize(NETWORK, images(64, 1), file)
    yield file


def test_each_is_one_table_near_the_real_function(exact: Path) -> None:
    import torch

    network = runpy.run_path(str(FILE))["network"]
    oracle, graph = Oracle(exact), read_exact(ir.load(exact))
    kinds = [layer.kind for layer in graph.layers]
    assert kinds.count("Table") == 6 and not {"Multiply", "PiecewiseLinear"} & set(kinds)
    given = images(50, 2)["x"]
    (output,) = graph.outputs
    got = np.concatenate([oracle.run({"x": image[None]})[output] for image in given])
    with torch.no_grad():
        real = network()[0](torch.from_numpy(given)).numpy()
    assert 20 * np.log10(np.std(real) / np.std(got - real)) > 20


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_bits_everywhere(exact: Path, target: str, tmp_path: Path) -> None:
    if target in TOOLS and shutil.which(TOOLS[target]) is None:
        pytest.skip(f"{TOOLS[target]} is not installed")
    pipeline.compile(exact, target, tmp_path / "build")
    found = verbs.verify(tmp_path / "build", samples=4)
    assert found.exact, found.first_mismatch
    graph = Artefact.open(tmp_path / "build").graph
    tables = [layer.output for layer in graph.layers if layer.kind == "Table"]
    assert found.layers_compared >= len(tables)
