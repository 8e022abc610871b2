"""Builds RTL and runs cocotb benches on it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHES = Path(__file__).parent


def need_icarus() -> None:
    """Skip the whole file where the simulator or cocotb is missing."""
    pytest.importorskip("cocotb", reason="cocotb is not installed")
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed", allow_module_level=True)


def sources(rtl: Path = ROOT / "rtl") -> list[Path]:
    """Every SystemVerilog file of rtl/, packages first, as simulators want them."""
    return sorted(rtl.glob("*/*.sv"), key=lambda path: (not path.stem.endswith("_pkg"), path))


def need_ghdl() -> None:
    """The same for VHDL."""
    pytest.importorskip("cocotb", reason="cocotb is not installed")
    if shutil.which("ghdl") is None:
        pytest.skip("GHDL is not installed", allow_module_level=True)


BUILDS: Mapping[str, Mapping[str, Any]] = {
    "icarus": {"build_args": ["-g2012", "-Wall"], "timescale": ("1ns", "1ps")},
    "ghdl": {"build_args": ["--std=08"]},
}
"""What each simulator is told besides."""
VHDL = ("tsm_slice", "tsm_fifo", "tsm_fork", "tsm_concat", "tsm_gearbox", "tsm_rows", "tsm_slide", "tsm_table")
"""Modules of rtl/vhdl, in the order of their needs."""


def run_bench(
    module: str,
    bench: str,
    parameters: Mapping[str, object],
    folder: Path,
    simulator: str = "icarus",
    plusargs: Sequence[str] = (),
) -> None:
    """Build `module` of rtl/ with these parameters and run the cocotb tests of `bench`; each of them must pass."""
    count, failures = bench_results(module, bench, parameters, folder, simulator, plusargs)
    assert count > 0 and failures == 0, f"{failures} of {count} tests of {bench} on {module} fail"


def bench_results(
    module: str,
    bench: str,
    parameters: Mapping[str, object],
    folder: Path,
    simulator: str = "icarus",
    plusargs: Sequence[str] = (),
    rtl: Path = ROOT / "rtl",
) -> tuple[int, int]:
    """How many tests were run and how many failed; `rtl` may be a copy of rtl/ with a fault."""
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    vhdl = [ROOT / "rtl" / "vhdl" / f"{name}.vhd" for name in VHDL]
    runner = get_runner(simulator)
    runner.build(
        sources=vhdl if simulator == "ghdl" else sources(rtl),
        hdl_toplevel=module,
        parameters=dict(parameters),
        build_dir=folder,
        **BUILDS[simulator],
    )
    results = folder / "results.xml"
    with contextlib.suppress(SystemExit):  # which cocotb raises where a test fails
        runner.test(
            hdl_toplevel=module,
            test_module=bench,
            build_dir=folder,
            test_dir=folder,
            test_args=["--std=08"] if simulator == "ghdl" else [],
            plusargs=list(plusargs),
            extra_env={"PYTHONPATH": str(BENCHES)},
            results_xml=str(results),
        )
    count, failures = get_results(results)
    return int(count), int(failures)
