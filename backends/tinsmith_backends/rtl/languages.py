"""The languages that a machine is written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """One of them.

    Attributes:
        name: as people call it.
        suffix: of its files, and of the templates in it.
        folders: of rtl/ with the modules in it.
        inside: modules that a module holds.
        core: as FuseSoC calls it.
    """

    name: str
    suffix: str
    folders: tuple[str, ...]
    inside: Mapping[str, tuple[str, ...]]
    core: str


_IN_VERILOG = {
    "tsm_ending": ("tsm_sum",),
    "tsm_mvu": ("tsm_dot", "tsm_sum"),
    "tsm_slide": ("tsm_rows",),
    "tsm_window": ("tsm_rows",),
}
VERILOG = Language("SystemVerilog", ".sv", ("common", "stream"), _IN_VERILOG, "systemVerilogSource")
VHDL = Language("VHDL", ".vhd", ("vhdl",), {"tsm_slide": ("tsm_fifo", "tsm_rows")}, "vhdlSource-2008")
LANGUAGES: Mapping[str, Language] = {"rtl-verilog": VERILOG, "rtl-vhdl": VHDL}
"""What each target is written in. In VHDL there are graphs of adders, tables, and what streams between them."""
