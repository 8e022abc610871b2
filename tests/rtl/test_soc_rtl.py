"""Runs the cocotb bench of the whole accelerator in Icarus, on several shapes of chip."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtl_run import need_icarus, run_bench
from soc_chip import Chip

need_icarus()

CHIPS = {
    "8x8": Chip(),
    "4x4": Chip(pes=4, lanes=4, rqs=1),
    "8x4": Chip(pes=8, lanes=4, rqs=8),
    "2x8": Chip(pes=2, lanes=8, rqs=2),
    "shift": Chip(pes=4, lanes=4, rqs=2, kind=1),
    "xnor": Chip(pes=8, lanes=8, rqs=2, kind=2),
}


@pytest.mark.parametrize("case", CHIPS)
def test_accelerator(case: str, tmp_path: Path) -> None:
    run_bench("tsm_accel", "accel_bench", CHIPS[case].parameters(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", CHIPS)
def test_many_programs(case: str, tmp_path: Path) -> None:
    run_bench("tsm_accel", "accel_bench", CHIPS[case].parameters(), tmp_path, plusargs=["+seeds=60"])
