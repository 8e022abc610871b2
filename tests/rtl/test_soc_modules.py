"""Runs the cocotb bench of every module of rtl/soc in Icarus."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtl_run import ROOT, need_icarus
from soc_cases import CASES, ELSEWHERE

need_icarus()


@pytest.mark.parametrize("case", CASES)
def test_module(case: str, tmp_path: Path) -> None:
    count, failures = CASES[case].run(tmp_path)
    assert count > 0 and failures == 0, f"{failures} of {count} tests fail"


def test_every_module_has_a_bench() -> None:
    modules = {path.stem for path in (ROOT / "rtl" / "soc").glob("*.sv")} - {"tsm_soc_pkg"}
    assert modules == {case.module for case in CASES.values()} | ELSEWHERE.keys()
    assert all((ROOT / bench).exists() for bench in ELSEWHERE.values())
