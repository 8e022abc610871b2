"""Trained networks give the oracle's bits, and so its predictions, on every target and on every test input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from accuracy import CALIBRATION, DATA, WORKS, Work
from tinsmith import pipeline, verbs
from tinsmith.verify.oracle import Oracle

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason=f"the trained networks are not at {DATA}"),
]

TARGETS = ("x86-64", "arm64", "arm64-dotprod", "armv7", "wasm", "c", "cortex-m")
NETWORKS = {work.name: work for work in WORKS}
MOST_LOST = {"ResNet8": (0.855, 0.01), "DS-CNN": (0.913, 0.01), "ResNet20 .onnx": (0.90, 0.015)}
"""Float accuracy, and how much of it int8 may cost."""


def quantized(work: Work, folder: Path) -> Path:
    inputs, _ = work.samples(DATA, work.calibrate)
    name = work.canonical(DATA).graph.inputs[0].name or ""
    return pipeline.quantize(DATA / work.model, {name: inputs[:CALIBRATION]}, folder / "net.onnx")


@pytest.fixture(scope="module")
def resnet8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quantized(NETWORKS["ResNet8"], tmp_path_factory.mktemp("resnet8"))


@pytest.fixture(scope="module")
def ds_cnn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quantized(NETWORKS["DS-CNN"], tmp_path_factory.mktemp("ds_cnn"))


def check(work: Work, exact: Path, target: str, folder: Path) -> None:
    """Compile, verify every layer on a few inputs, run all test inputs, and compare with the oracle and the labels."""
    pipeline.compile(exact, target, folder)
    found = verbs.verify(folder, samples=8)
    assert found.exact, found.first_mismatch
    inputs, labels = work.samples(DATA, work.test)
    oracle = Oracle(exact)
    (name,) = verbs.Artefact.open(folder).graph.inputs
    (got,) = verbs.run(folder, {name: inputs}).values()
    (output,) = verbs.Artefact.open(folder).graph.outputs
    expected = np.concatenate([oracle.run({name: sample})[output] for sample in inputs])
    np.testing.assert_array_equal(got, expected)
    accuracy, lost = MOST_LOST[work.name]
    assert float((got.argmax(axis=1) == labels).mean()) >= accuracy - lost


@pytest.mark.parametrize("target", TARGETS)
def test_resnet8(resnet8: Path, target: str, tmp_path: Path) -> None:
    check(NETWORKS["ResNet8"], resnet8, target, tmp_path / target)


@pytest.mark.parametrize("target", TARGETS)
def test_ds_cnn(ds_cnn: Path, target: str, tmp_path: Path) -> None:
    check(NETWORKS["DS-CNN"], ds_cnn, target, tmp_path / target)


@pytest.mark.parametrize("target", ["x86-64", "wasm"])
def test_resnet20(target: str, tmp_path: Path) -> None:
    work = NETWORKS["ResNet20 .onnx"]
    check(work, quantized(work, tmp_path), target, tmp_path / target)
