"""The same network gives the same bytes in a process that hashes otherwise: no file has the order of a set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from float_models import model, statistics, weights
from small_net import save_npz
from tinsmith.backend import Registry
from tinsmith.output import build_files

COMPILE = (
    "import sys; from tinsmith import pipeline\n"
    "for target in sys.argv[1:]: pipeline.compile('net.onnx', target, target, calibrate='x.npz')"
)
NETWORK = """
    stem = Conv <pads=[1,1,1,1]> (x, w1)
    normal = BatchNormalization (stem, g, b, m, v)
    low = Relu (normal)
    deep = Conv <group=4, pads=[1,1,1,1]> (low, w2)
    wide = Conv (low, w3)
    curve = {curve} (wide)
    joined = Add (deep, wide)
    both = Concat <axis=1> (joined, curve, deep)
    less = MaxPool <kernel_shape=[2,2], strides=[2,2]> (both)
    last = Conv (less, w4)
    mean = GlobalAveragePool (last)
    flat = Flatten (mean)
    y = Gemm (flat, w5)
    z = Relu (joined)
"""


def compiled(targets: list[str], folder: Path, curve: str) -> list[dict[str, bytes]]:
    """Every file of the builds, from two processes at once."""
    constants = {"w1": weights(4, 3, 3, 3), "w2": weights(4, 1, 3, 3), "w3": weights(4, 4, 1, 1), **statistics(4)}
    constants |= {"w4": weights(5, 12, 1, 1), "w5": weights(5, 3)}
    net = model(NETWORK.format(curve=curve), x=(1, 3, 8, 8), outputs="y z", **constants)
    processes = []
    for seed in ("1", "2"):
        place = folder / seed
        place.mkdir()
        onnx.save(net, place / "net.onnx")
        save_npz(place / "x.npz", x=np.random.default_rng(1).normal(size=(4, 3, 8, 8)).astype(np.float32))
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        processes.append(subprocess.Popen([sys.executable, "-c", COMPILE, *targets], cwd=place, env=environment))
    assert [process.wait() for process in processes] == [0, 0]
    return [
        {
            f"{t}/{name}": (folder / seed / t / name).read_bytes()
            for t in targets
            for name in build_files(folder / seed / t)
        }
        for seed in ("1", "2")
    ]


def check(targets: list[str], folder: Path, curve: str) -> None:
    first, second = compiled(targets, folder, curve)
    assert first.keys() == second.keys() and len(first) > 4 * len(targets)
    assert [name for name in first if first[name] != second[name]] == []


def test_a_target_of_each_backend(tmp_path: Path) -> None:
    for package in ("tvm", "hls4ml", "da4ml", "ziglang"):
        pytest.importorskip(package)
    check(["wasm", "hls-vitis", "rtl-verilog", "rtl-vhdl", "soc"], tmp_path, "Sigmoid")


@pytest.mark.slow
def test_every_target(tmp_path: Path) -> None:
    check(list(Registry.load().backends), tmp_path, "Relu")  # every HLS flow takes it
