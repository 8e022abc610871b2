"""Generated machines in Icarus: every layer the oracle's, the promised interval, benches that fail when they should."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from exact_models import Net
from rtl_nets import bits, integers, mixed, pieces, sequence, tables
from rtl_run import need_icarus
from tinsmith.errors import Problems, TinsmithError
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.host import quantized
from tinsmith_backends.rtl.backend import RtlBackend
from tinsmith_backends.rtl.folding import Folding, Pins, Work, candidates, choose
from tinsmith_backends.rtl.lower import form

need_icarus()

TARGET = "rtl-verilog"
NETS = {
    "integers": (integers, 1024),
    "bits": (bits, 512),
    "mixed": (mixed, 400),
    "sequence": (sequence, 120),
    "pieces": (pieces, 160),
    "tables": (tables, 200),
}


def build(
    net: Net, interval: int, folder: Path, samples: int = 4, **settings: str
) -> tuple[RtlBackend, list[dict[str, np.ndarray]]]:
    """A build folder with vectors; the backend and the oracle's tensors."""
    folder.mkdir(parents=True)
    backend, graph = RtlBackend().configured(TARGET, {"interval": str(interval), **settings}), net.graph()
    assert backend.problems(graph, TARGET) == []
    backend.build(graph, TARGET, folder, lambda name: contextlib.nullcontext())
    ir.save(net.model(), folder.parent / "exact.onnx")
    oracle = Oracle(folder.parent / "exact.onnx")
    inputs = [net.sample(seed, extreme=seed % 3 == 0) for seed in range(samples)]
    expected = [dict(oracle.run(sample)) for sample in inputs]
    backend.write_vectors(graph, TARGET, folder, inputs, expected)
    return backend, expected


def make_test(folder: Path, *arguments: str) -> str:
    """What `make test` prints, with its exit code's word at the end."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["make", "test", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr + (" exit:zero" if done.returncode == 0 else " exit:error")


@pytest.mark.parametrize("name", NETS)
def test_every_layer_is_the_oracles(name: str, tmp_path: Path) -> None:
    make, interval = NETS[name]
    net = make()
    backend, expected = build(net, interval, tmp_path / "p")
    runner = backend.runner(tmp_path / "p", net.graph(), TARGET)
    samples = [net.sample(seed, extreme=seed % 3 == 0) for seed in range(4)]
    seen: set[str] = set()
    for right, got in zip(expected, runner.run(samples), strict=True):
        seen |= set(got)
        wrong = [tensor for tensor, values in got.items() if not np.array_equal(values, right[tensor])]
        assert wrong == [] and all(values.dtype == right[tensor].dtype for tensor, values in got.items())
    ordered = {
        name for name, tensor in net.graph().tensors.items() if len(tensor.shape) == 4 or 1 in form(net.graph(), name)
    }
    assert seen == {layer.output for layer in net.graph().layers} & ordered
    assert runner.constants() == backend.expected_constants(net.graph(), TARGET)


@pytest.mark.parametrize("name", ["bits", pytest.param("integers", marks=pytest.mark.slow)])
def test_the_bench_stands_on_its_own_and_the_interval_holds(name: str, tmp_path: Path) -> None:
    make, interval = NETS[name]
    build(make(), interval, tmp_path / "p")
    text = make_test(tmp_path / "p")
    promised = json.loads((tmp_path / "p" / "tinsmith.json").read_text())
    assert text.endswith("exit:zero") and "PASS=3 FAIL=0" in text
    latency, each = promised["latency"], promised["interval"]
    assert each <= interval
    assert re.search(rf"complete after {latency} clocks, later ones after \[\d+, {each}, {each}\] more", text)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["vector", "weight", "ready"])
def test_a_flipped_bit_and_a_dropped_ready_fail(where: str, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    build(bits(), 512, folder, samples=2)
    if where == "vector":
        vectors = json.loads((folder / "vectors.json").read_text())
        words = vectors["outputs"]["m0"][1]
        words[-1] = f"{int(words[-1], 16) ^ 1:x}"
        (folder / "vectors.json").write_text(json.dumps(vectors))
    elif where == "weight":
        file = next((folder / "mem").glob("shift_matmul*_weights.mem"))
        lines = file.read_text().split("\n")
        file.write_text("\n".join([f"{int(lines[0], 16) ^ 1:x}", *lines[1:]]))
    else:
        source = folder / "src" / "tsm_ending.sv"
        text, right = source.read_text(), "wire logic step2 = !valid2_q || m_ready_i;"
        assert right in text
        source.write_text(text.replace(right, "wire logic step2 = 1'b1;"))
    assert make_test(folder).endswith("exit:error")


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "p", tmp_path / "longer" / "way" / "p"
    for folder in (first, second):
        build(integers(), 1024, folder, samples=1)
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for file in files:
        assert (first / file).read_bytes() == (second / file).read_bytes(), file
        assert str(tmp_path).encode() not in (first / file).read_bytes(), file


def test_an_interval_that_cannot_be_met_names_each_layer(tmp_path: Path) -> None:
    backend, net = RtlBackend().configured(TARGET, {"interval": "63"}), integers()
    with pytest.raises(TinsmithError) as caught:
        backend.build(net.graph(), TARGET, tmp_path, lambda name: contextlib.nullcontext())
    text = str(caught.value)
    assert text.count("an interval of 63 clocks cannot be met") >= 3 and "--interval 64 or more" in text


def test_what_there_is_no_engine_for_is_refused_all_at_once() -> None:
    net = Net(5)
    x = net.quantize(net.input("x", (1, 4, 6, 6)))
    y = net.binary_conv(net.conv(x, 4, bits=1), 4, pads=(1, 1, 1, 1), pad_value=0)
    net.softmax(net.matmul(net.reshape(net.multiply(net.conv(y, 4), factor_shape=(2, 2)), (1, 4, 4)), 3))
    net.dequantize(net.conv(y, 2))
    reasons = " ".join(problem.why for problem in RtlBackend().problems(net.graph(), TARGET))
    for word in (
        "a bit is +1 or -1",
        "not one a channel",
        "no engine",
        "more than one row",
    ):
        assert word in reasons


def test_the_cheapest_folding_within_the_interval() -> None:
    work, problems = Work(64, 9, 4, 8, 64, 64, product_luts=80, input_bits=8, output_luts=100), Problems()

    def folding(interval: int, **pinned: str) -> Folding:
        return choose(candidates("mvu", work), interval, problems, "conv", Pins({"conv": pinned})).folding

    assert folding(18432) == Folding(1, 1)
    assert folding(9216) == Folding(1, 2)
    assert folding(512) == Folding(2, 2, 9)
    assert folding(64) == Folding(8, 4, 9)
    assert folding(18432, pe="8", simd="9") == Folding(8, 1, 9)
    assert problems.found == []
    folding(63)
    folding(64, simd="5")
    assert problems.found[0].where == "conv" and "--interval 64" in problems.found[0].fix
    assert "simd = 5" in problems.found[1].what


def test_names_are_identifiers(tmp_path: Path) -> None:
    net = bits("3: a__b-net_")
    build(net, 512, tmp_path / "p", samples=1)
    assert json.loads((tmp_path / "p" / "tinsmith.json").read_text())["top"] == "net_3_a_b_net_top"


def test_vectors_of_another_network_are_refused(tmp_path: Path) -> None:
    build(bits(), 512, tmp_path / "p", samples=1)
    build(bits("other"), 256, tmp_path / "q" / "p", samples=1)
    (tmp_path / "p" / "vectors.json").write_text((tmp_path / "q" / "p" / "vectors.json").read_text())
    text = make_test(tmp_path / "p")
    assert text.endswith("exit:error") and "vectors of another network" in text


@pytest.mark.filterwarnings("error")
def test_values_beyond_all_steps_saturate() -> None:
    graph = integers().graph()
    quantizer, most = graph.layers[0], np.finfo(np.float32).max
    tensor, sample = graph.tensors[quantizer.output], {quantizer.inputs[0]: np.array([-most, most], np.float32)}
    assert quantized(graph, tensor.name, sample).tolist() == [tensor.lo, tensor.hi]


def test_pins_hold_or_are_refused(tmp_path: Path) -> None:
    net = integers()
    name = next(layer.name for layer in net.graph().layers if layer.kind == "MatMul")
    build(net, 4096, tmp_path / "p", samples=1, **{f"pe@{name}": "5", f"simd@{name}": "3"})
    assert f"| {name} | `tsm_mvu` |" in (tmp_path / "p" / "README.md").read_text()
    assert "PE 5, SIMD 3" in (tmp_path / "p" / "README.md").read_text()
    with pytest.raises(TinsmithError, match="no engine has pe = 4"):
        build(net, 4096, tmp_path / "q" / "p", samples=1, **{f"pe@{name}": "4"})
    joined = next(layer.name for layer in net.graph().layers if layer.kind == "Concat")
    with pytest.raises(TinsmithError, match="one way to do this layer"):
        build(net, 4096, tmp_path / "r" / "p", samples=1, **{f"pe@{joined}": "4"})
