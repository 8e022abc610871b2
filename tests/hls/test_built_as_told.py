"""Reuse factors and strategies reach the project, layer by layer, and what hls4ml would change is refused."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from exact_models import Net
from tinsmith import pipeline, verbs
from tinsmith.errors import TinsmithError
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.hls.backend import BACKEND

pytest.importorskip("hls4ml", reason="hls4ml is not installed")


def convolutions(name: str = "told") -> Net:
    """Layers called conv_…, max_pool_… and matmul_…; products of 18 by 4, 4 by 6 and 24 by 5 numbers."""
    net = Net(8, name)
    x = net.quantize(net.input("x", (1, 2, 6, 6)))
    y = net.conv(net.conv(x, 4, strides=(2, 2)), 6, (1, 1))
    net.dequantize(net.matmul(net.flatten(net.max_pool(y, (1, 1))), 5, dtype="int8"))
    return net


def build(folder: Path, target: str = "hls-vitis", **told: str) -> dict[str, str]:
    """The kernels that the report names, by layer."""
    folder.mkdir(exist_ok=True)
    settings = {key.replace("_at_", "@"): value for key, value in told.items()}
    backend = BACKEND.configured(target, settings)
    graph = convolutions().graph()
    built = backend.build(graph, target, folder, lambda name: contextlib.nullcontext())
    return {layer.name: layer.kernel for layer in built.layers}


def names() -> list[str]:
    return [layer.name for layer in convolutions().graph().layers if layer.kind in ("Conv", "MatMul")]


def test_every_layer_has_its_own_reuse_and_strategy(tmp_path: Path) -> None:
    first, second, last = names()
    told = {"strategy": "resource", f"strategy_at_{second}": "latency", f"reuse_at_{first}": "6", "reuse": "4"}
    kernels = build(tmp_path / "p", **told, **{f"reuse_at_{last}": "12"})
    assert "(resource, reuse 6)" in kernels[first] and "(latency, reuse 4)" in kernels[second]
    assert "(resource, reuse 12)" in kernels[last]
    text = (tmp_path / "p" / "firmware" / "parameters.h").read_text()
    found = re.findall(r"struct config\d+(?:_mult)? : nnet::dense_config \{.*?\};", text, re.DOTALL)
    assert len(found) == 3
    reuse = [int(re.search(r"reuse_factor = (\d+)", config)[1]) for config in found]  # type: ignore[index]
    assert reuse == [6, 4, 12]
    strategies = [re.search(r"strategy = nnet::(\w+)", config) for config in found]
    assert [found[1] for found in strategies if found] == ["resource", "latency", "resource"]


def test_what_hls4ml_would_change_is_refused(tmp_path: Path) -> None:
    first, _, last = names()
    with pytest.raises(TinsmithError) as caught:
        build(tmp_path / "p", strategy="resource", reuse="5")
    text = str(caught.value)
    assert len(caught.value.problems) == 3 and "one of 1, 2, 3, 6, 9, 18, 36, 72" in text and f"reuse@{first}=" in text
    for target in ("hls-quartus", "hls-catapult"):
        with pytest.raises(TinsmithError, match="strategy cannot be 'distributed_arithmetic'"):
            build(tmp_path / "p", target, strategy="distributed_arithmetic")
    with pytest.raises(TinsmithError, match=r"distributed_arithmetic has a reuse of 2"):
        build(tmp_path / "p", strategy="distributed_arithmetic", **{f"reuse_at_{last}": "2"})
    with pytest.raises(TinsmithError, match=r"no layer with weights matches 'max_pool\*'"):
        build(tmp_path / "p", **{"reuse_at_max_pool*": "2"})


def test_without_a_compiler_the_project_is_written_and_verify_says_that_nothing_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    ir.save(convolutions().model(), tmp_path / "exact.onnx")
    report = pipeline.compile(tmp_path / "exact.onnx", "hls-catapult", tmp_path / "build")
    assert "firmware/told.cpp" in report.files
    with pytest.raises(TinsmithError, match=r"g\+\+ is missing[\s\S]*nothing was checked[\s\S]*apt-get install g\+\+"):
        verbs.verify(tmp_path / "build")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "io_type", "strategy"),
    [
        ("hls-vitis", "io_parallel", "distributed_arithmetic"),
        ("hls-vitis", "io_stream", "distributed_arithmetic"),
        ("hls-vivado", "io_stream", "distributed_arithmetic"),
        ("hls-vivado", "io_parallel", "resource"),
        ("hls-catapult", "io_stream", "resource"),
        ("hls-quartus", "io_parallel", "resource"),
    ],
)
def test_every_strategy_gives_the_oracles_bits(target: str, io_type: str, strategy: str, tmp_path: Path) -> None:
    told = {"io_type": io_type, "strategy": strategy} | ({} if strategy != "resource" else {"reuse": "2"})
    build(tmp_path / "p", target, **told)
    net = convolutions()
    ir.save(net.model(), tmp_path / "exact.onnx")
    oracle = Oracle(tmp_path / "exact.onnx")
    samples = [net.sample(seed, extreme=seed % 4 == 0) for seed in range(40)]
    for sample, got in zip(samples, BACKEND.runner(tmp_path / "p", net.graph(), target).run(samples), strict=True):
        expected = oracle.run(sample)
        assert got and all(np.array_equal(values, expected[name]) for name, values in got.items())
