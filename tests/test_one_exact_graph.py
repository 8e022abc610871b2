"""One exact graph, every target: the same file gives the same bits on processors, in HLS C++ and in RTL."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fpga_nets import exact, inputs
from tinsmith import pipeline, verbs
from tinsmith.verify.oracle import Oracle

pytestmark = pytest.mark.slow

TARGETS = {"wasm": 200, "arm64": 200, "c": 200, "hls-vitis": 200, "rtl-verilog": 6}
"""Samples of each; Icarus is slow."""
TOOLS = {"arm64": "qemu-aarch64", "hls-vitis": "g++", "rtl-verilog": "iverilog"}


@pytest.mark.parametrize("recipe", ["", 'scales = "power-of-two"\n'], ids=["real", "powers-of-two"])
@pytest.mark.parametrize("network", ["digits", "residual"])
def test_the_same_bits_everywhere(network: str, recipe: str, tmp_path: Path) -> None:
    file = exact(network, recipe)
    ((name, images),) = inputs(network, max(TARGETS.values()), start=1400).items()
    oracle, answers = Oracle(file), {}
    for target, count in TARGETS.items():
        if target in TOOLS and shutil.which(TOOLS[target]) is None:
            continue
        report = pipeline.compile(file, target, tmp_path / target)
        assert (tmp_path / target / "exact.onnx").read_bytes() == (tmp_path / "wasm" / "exact.onnx").read_bytes()
        found = verbs.verify(tmp_path / target, samples=4 if target == "rtl-verilog" else 16)
        assert found.exact and found.layers_compared >= len(report.layers) // 2, (target, found.first_mismatch)
        (answers[target],) = verbs.run(tmp_path / target, {name: images[:count, 0]}).values()
    (output,) = (
        key for key in oracle.run({name: images[0]}) if key in verbs.Artefact.open(tmp_path / "c").graph.outputs
    )
    expected = np.concatenate([oracle.run({name: image})[output] for image in images])
    assert len(answers) >= 2
    for target, got in answers.items():
        np.testing.assert_array_equal(got, expected[: len(got)], err_msg=target)
