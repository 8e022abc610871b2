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
        core: as FuseSoC calls it.
    """

    name: str
    suffix: str
    folders: tuple[str, ...]
    core: str


VERILOG = Language("SystemVerilog", ".sv", ("common", "stream"), "systemVerilogSource")
VHDL = Language("VHDL", ".vhd", ("vhdl",), "vhdlSource-2008")
LANGUAGES: Mapping[str, Language] = {"rtl-verilog": VERILOG, "rtl-vhdl": VHDL}
"""What each target is written in. In VHDL there are graphs of adders, tables, and what streams between them."""
