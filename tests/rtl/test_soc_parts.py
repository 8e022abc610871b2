"""Runs the cocotb benches of the chip's modules around the accelerator in Icarus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from rtl_run import ROOT, need_icarus, run_bench

need_icarus()

CASES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "tsm_uart": ("soc_peripherals_bench", {"DIVISOR": 5, "QUEUE": 4}),
    "tsm_timer": ("soc_peripherals_bench", {}),
    "tsm_watchdog": ("soc_peripherals_bench", {}),
    "tsm_irqc": ("soc_peripherals_bench", {}),
    "tsm_system": ("soc_peripherals_bench", {}),
    "tsm_bus": ("soc_bus_bench", {}),
    "tsm_axil_master": ("soc_bus_bench", {}),
    "tsm_ext_arbiter": ("soc_bus_bench", {}),
    "tsm_cpu_ram": ("soc_bus_bench", {"WORDS": 16}),
    "tsm_stream": ("soc_stream_bench", {"DEPTH": 64}),
    "tsm_trigger": ("soc_stream_bench", {"DEPTH": 64, "QUEUE": 2}),
    "tsm_packer": ("soc_stream_bench", {}),
    "tsm_sample": ("soc_stream_bench", {}),
    "tsm_results": ("soc_stream_bench", {"QUEUE": 4}),
}
"""Bench and parameters, by module."""


@pytest.mark.parametrize("module", CASES)
def test_part(module: str, tmp_path: Path) -> None:
    bench, parameters = CASES[module]
    if module == "tsm_cpu_ram":
        words = tmp_path / "words.hex"
        words.write_text("".join(f"{0x100 + i:08x}\n" for i in range(16)))
        parameters = {**parameters, "FILE": f'"{words}"'}
    run_bench(module, bench, parameters, tmp_path)


def test_every_part_has_a_bench() -> None:
    """The rest is the accelerator, with its own bench, and the whole chip."""
    here = {path.stem for path in (ROOT / "rtl" / "soc").glob("*.sv")}
    text = (ROOT / "rtl" / "soc" / "tsm_soc.sv").read_text()
    instances = {name for name in here if f"  {name} " in text} - {"tsm_accel"}
    assert instances <= set(CASES)
