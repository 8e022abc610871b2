"""Six real networks on every HLS flow: no wrong bit in 1000 samples, and none in streams or with other scales."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("hls4ml", reason="hls4ml is not installed")
from fpga_nets import NETS
from hls_networks import measure
from tinsmith_backends.hls.targets import TARGETS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed"),
]


@pytest.mark.parametrize("flow", TARGETS)
@pytest.mark.parametrize("network", NETS)
def test_a_thousand_samples(network: str, flow: str, tmp_path: Path) -> None:
    row = measure(network, flow, "io_parallel", "real", 1000, tmp_path / "build")
    assert (row.samples, row.wrong) == (1000, 0) and row.values >= 20_000


@pytest.mark.parametrize("flow", TARGETS)
@pytest.mark.parametrize("network", NETS)
def test_streams_and_powers_of_two(network: str, flow: str, tmp_path: Path) -> None:
    row = measure(network, flow, "io_stream", "power-of-two", 100, tmp_path / "build")
    assert (row.samples, row.wrong) == (100, 0) and row.values >= 1000
