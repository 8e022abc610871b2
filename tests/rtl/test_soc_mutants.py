"""Every fault of soc_mutants.py makes the bench of its module fail. A few in the default suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutation import misplaced, mutated, places
from rtl_run import ROOT, need_icarus
from soc_cases import CASES, Case
from soc_chip import Chip
from soc_mutants import MUTANTS

need_icarus()

ALL = CASES | {"accel": Case("tsm_accel", "accel_bench", Chip(pes=4, lanes=4, rqs=1).parameters())}
QUICK = ("tsm_array", "tsm_nest", "tsm_compute", "tsm_loader", "tsm_csr", "tsm_trigger")
"""Modules whose first fault is tried in the default suite."""


@pytest.mark.parametrize(("module", "number"), places(MUTANTS, QUICK))
def test_the_bench_sees_the_fault(module: str, number: int, tmp_path: Path) -> None:
    mutant = MUTANTS[module][number]
    build = tmp_path / "build"
    build.mkdir()
    count, failures = ALL[mutant.case].run(build, rtl=mutated(module, mutant, tmp_path / "rtl"))
    assert count > 0 and failures > 0, f"{mutant} passes all {count} tests"


def test_every_module_has_faults_and_every_text_is_there_once() -> None:
    machine = {"tsm_soc", "tsm_soc_pkg"}  # faults of the first: tests/soc/test_soc_icarus.py
    assert MUTANTS.keys() == {path.stem for path in (ROOT / "rtl" / "soc").glob("*.sv")} - machine
    assert all(len(mutants) >= 4 for mutants in MUTANTS.values())
    assert misplaced(MUTANTS) == []
