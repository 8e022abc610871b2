"""The cocotb bench of each module of rtl/vhdl, in GHDL: the same bench and models as their SystemVerilog twins."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtl_run import ROOT, VHDL, need_ghdl, run_bench
from test_stream import memory

need_ghdl()

Parameters = dict[str, object]


def slide(h: int, w: int, kernel: tuple[int, int], **more: int) -> Parameters:
    """A window former with the padding that keeps the image's size."""
    size = {"H": h, "W": w, "OH": h, "OW": w, "KH": kernel[0], "KW": kernel[1]}
    return {**size, "TOP": kernel[0] // 2, "LEFT": kernel[1] // 2, "PAD_W": 8, **more}


CASES: dict[str, tuple[str, Parameters]] = {
    "slice": ("tsm_slice", {"WIDTH": 7}),
    "fifo": ("tsm_fifo", {"WIDTH": 9, "DEPTH": 5}),
    "fork": ("tsm_fork", {"WIDTH": 6}),
    "concat": ("tsm_concat", {"A_W": 5, "B_W": 3}),
    "gearbox-pack": ("tsm_gearbox", {"LANE_W": 4, "IN_LANES": 2, "OUT_LANES": 6}),
    "gearbox-unpack": ("tsm_gearbox", {"LANE_W": 8, "IN_LANES": 4, "OUT_LANES": 1}),
    "table": ("tsm_table", {"LANES": 3}),
    "table-narrow": ("tsm_table", {"OUT_W": 3}),
    "slide-same": ("tsm_slide", slide(5, 4, (3, 3), PAD=9)),
    "slide-stride": ("tsm_slide", slide(6, 7, (3, 3), OH=3, OW=4, SH=2, SW=2, ROWS=6)),
    "slide-dilated": ("tsm_slide", slide(7, 5, (2, 2), OH=3, OW=2, TOP=0, LEFT=0, SH=2, SW=2, DH=2, DW=2, ROWS=5)),
    "slide-uneven": ("tsm_slide", slide(4, 6, (2, 5), LEFT=1, OW=5)),
    "slide-sequence": ("tsm_slide", slide(1, 9, (1, 5), QUEUE=8, PAD=3)),
    "slide-narrow": ("tsm_slide", slide(4, 1, (3, 1))),
}
"""Module and parameters, by the name of the test."""


@pytest.mark.parametrize("case", CASES)
def test_module_in_vhdl(case: str, tmp_path: Path) -> None:
    module, parameters = CASES[case]
    if module == "tsm_table":
        memory(tmp_path, "table.mem", 256, int(str(parameters.get("OUT_W", 8))))
    run_bench(module, "bench", parameters, tmp_path, "ghdl")


def test_every_vhdl_module_has_a_case() -> None:
    modules = {path.stem for path in (ROOT / "rtl" / "vhdl").glob("*.vhd")}
    assert modules == set(VHDL)
    assert modules - {module for module, _ in CASES.values()} == {"tsm_rows"}  # which tsm_slide holds
