"""Every fault of mutants.py makes the bench of its module fail. One a module in the default suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutants import MUTANTS
from mutation import misplaced, mutated, places
from rtl_run import ROOT, bench_results, need_icarus
from test_stream import CASES

need_icarus()

QUICK = ("tsm_fifo", "tsm_dot", "tsm_rows")
"""Modules whose first fault is tried in the default suite."""


@pytest.mark.parametrize(("module", "number"), places(MUTANTS, QUICK))
def test_the_bench_sees_the_fault(module: str, number: int, tmp_path: Path) -> None:
    mutant = MUTANTS[module][number]
    rtl = mutated(module, mutant, tmp_path / "rtl")
    build = tmp_path / "build"
    build.mkdir()
    top, parameters = CASES[mutant.case]
    count, failures = bench_results(top, "bench", parameters(build), build, rtl=rtl)
    assert count > 0 and failures > 0, f"{mutant} passes all {count} tests"


def test_every_module_has_faults_and_every_text_is_there_once() -> None:
    assert MUTANTS.keys() == {path.stem for part in ("common", "stream") for path in (ROOT / "rtl" / part).glob("*.sv")}
    assert all(len(mutants) >= 4 for mutants in MUTANTS.values())
    assert misplaced(MUTANTS) == []
