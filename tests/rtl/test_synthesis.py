"""Modules of rtl/ and generated machines pass Verilator's lint and Yosys' synthesis; what is broken does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from rtl_sources import SOURCES, build_machine, module_case
from test_stream import CASES
from tinsmith.errors import TinsmithError
from tinsmith_backends.synthesis.families import FAMILIES, Resources
from tinsmith_backends.synthesis.lint import WAIVERS, lint
from tinsmith_backends.synthesis.nextpnr import place_and_route
from tinsmith_backends.synthesis.yosys import synthesize

QUICK = {module: case for case, (module, _) in reversed(CASES.items())}.values()
MAPPED = [
    pytest.param(case, family, marks=[] if case in QUICK and family == "ecp5" else pytest.mark.slow)
    for case in CASES
    for family in FAMILIES
]
"""One case a module on one family; the others are slow."""

LATCH = "module bad (input wire logic a, b, output logic y); always_comb if (a) y = b; endmodule"
LATCHED = "module bad (input wire logic a, b, output logic y); always_latch if (a) y = b; endmodule"
TWICE = "module bad (input wire logic a, b, output wire logic y); assign y = a; assign y = b; endmodule"
OPEN = "module bad (input wire logic a, output wire logic y); wire logic open; assign y = a & open; endmodule"


@pytest.mark.parametrize("case", CASES)
def test_modules_lint(case: str, tmp_path: Path) -> None:
    module, parameters = module_case(case, tmp_path)
    for name in ("PAD", "OFFSET"):  # a parameter from outside is an integer, and they have other widths
        parameters.pop(name, None)
    lint(SOURCES, module, parameters=parameters, folder=tmp_path)


@pytest.mark.parametrize(("case", "family"), MAPPED)
def test_modules_synthesize(case: str, family: str, tmp_path: Path) -> None:
    module, parameters = module_case(case, tmp_path)
    found = synthesize(SOURCES, module, family, parameters=parameters, folder=tmp_path)
    assert found.resources.lut > 0 or case == "gearbox-wire"


def test_a_machine_with_zero_points_lints(tmp_path: Path) -> None:
    top, sources = build_machine("skewed", tmp_path / "build")
    assert ".OFFSET(64'sh" in (tmp_path / "build" / "src" / f"{top}.sv").read_text()
    lint(sources, top, folder=tmp_path / "build")


@pytest.mark.parametrize(
    "name", ["bits", *(pytest.param(name, marks=pytest.mark.slow) for name in ("integers", "sixteen"))]
)
def test_a_machine_lints_synthesizes_and_routes(name: str, tmp_path: Path) -> None:
    top, sources = build_machine(name, tmp_path / "build")
    lint(sources, top, folder=tmp_path / "build")
    netlist = tmp_path / "netlist.json"
    found = synthesize(sources, top, "ecp5", folder=tmp_path / "build", netlist=netlist).resources
    assert found.lut > 500 and found.ff > 200
    if name != "bits":
        assert place_and_route(netlist, "ecp5").clock_mhz > 20


@pytest.mark.slow
@pytest.mark.parametrize("family", ["xc7", "ice40"])
@pytest.mark.parametrize("name", ["bits", "integers"])
def test_machines_on_every_family(name: str, family: str, tmp_path: Path) -> None:
    top, sources = build_machine(name, tmp_path / "build")
    assert synthesize(sources, top, family, folder=tmp_path / "build").resources.lut > 500


@pytest.mark.parametrize("text", [LATCH, LATCHED, TWICE, OPEN])
def test_latches_and_broken_nets_are_errors(text: str, tmp_path: Path) -> None:
    source = tmp_path / "bad.sv"
    source.write_text(text)
    with pytest.raises(TinsmithError) as caught:
        synthesize([source], "bad", "ecp5")
    assert "ERROR" in str(caught.value)


def test_a_warning_of_the_lint_is_an_error(tmp_path: Path) -> None:
    source = tmp_path / "bad.sv"
    source.write_text("module bad (input wire logic [3:0] a, output wire logic [1:0] y); assign y = a; endmodule\n")
    with pytest.raises(TinsmithError, match="WIDTHTRUNC"):
        lint([source], "bad")


def test_every_waiver_has_a_reason() -> None:
    assert all(len(reason.split()) > 3 for reason in WAIVERS.values())


def test_cells_are_counted_by_type() -> None:
    assert FAMILIES["xc7"].count({"LUT2": 3, "LUT6": 1, "FDRE": 5, "RAMB36E1": 2, "CARRY4": 9}) == Resources(4, 5, 0, 4)
    assert FAMILIES["ecp5"].count({"TRELLIS_DPR16X4": 2, "CCU2C": 1, "LUT4": 3, "MULT18X18D": 1}) == Resources(17, 0, 1)


def test_unknown_families_and_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TinsmithError, match="ecp5, xc7, ice40"):
        synthesize(SOURCES, "tsm_fifo", "cyclone")
    with pytest.raises(TinsmithError, match="no open tool routes xc7"):
        place_and_route(tmp_path / "n.json", "xc7")
