"""Runs the cocotb benches of rtl/soc in Icarus: single modules, and the whole accelerator on several shapes of chip."""

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
    "xnor": Chip(pes=8, lanes=4, rqs=2, kind=2),
}

UNITS: dict[str, tuple[str, dict[str, object]]] = {
    "crc32": ("tsm_crc32", {}),
    "ram": ("tsm_ram", {"WIDTH": 5, "DEPTH": 16}),
    "arbiter": ("tsm_arbiter", {}),
    "act-mem": ("tsm_act_mem", {"ACT_BYTES": 128, "BANKS": 8, "LANES": 8, "BYTES": 4, "PATIENCE": 3}),
    "act-mem-wide": ("tsm_act_mem", {"ACT_BYTES": 64, "BANKS": 8, "LANES": 4, "BYTES": 8, "PATIENCE": 1}),
    "mac": ("tsm_mac", {"LANES": 8}),
    "mac-shift": ("tsm_mac", {"LANES": 4, "KIND": 1}),
    "mac-xnor": ("tsm_mac", {"LANES": 4, "KIND": 2}),
    "requantizer": ("tsm_requantizer", {}),
    "history": ("tsm_history", {"LANES": 4}),
    "axil": ("tsm_axil", {}),
    "drain": ("tsm_drain", {"PES": 8, "RQS": 2, "BYTES": 4}),
    "drain-wide": ("tsm_drain", {"PES": 8, "RQS": 8, "BYTES": 8}),
    "desc-mem": ("tsm_desc_mem", {"DESC_WORDS": 32}),
    "loader": ("tsm_loader", {"PES": 4, "LANES": 8, "WGT_WORDS": 16, "PAR_WORDS": 8, "DESC_AW": 6}),
}
"""Modules with benches of their own; the others are the parts of the accelerator's pipeline, and tested in it."""


@pytest.mark.parametrize("case", UNITS)
def test_unit(case: str, tmp_path: Path) -> None:
    module, parameters = UNITS[case]
    run_bench(module, "soc_units", parameters, tmp_path, plusargs=[f"+module={module}"])


@pytest.mark.parametrize("case", CHIPS)
def test_accelerator(case: str, tmp_path: Path) -> None:
    run_bench("tsm_accel", "accel_bench", CHIPS[case].parameters(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", CHIPS)
def test_many_programs(case: str, tmp_path: Path) -> None:
    run_bench("tsm_accel", "accel_bench", CHIPS[case].parameters(), tmp_path, plusargs=["+seeds=60"])
