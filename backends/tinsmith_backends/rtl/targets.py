"""The RTL flow and the tools that it needs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from tinsmith.backend import Target, Tool


def _cocotb() -> str | None:
    try:
        return version("cocotb")
    except PackageNotFoundError:
        return None


COCOTB = Tool("cocotb", _cocotb, "pip install 'tinsmith[fpga]'", "verify")
ICARUS = Tool("iverilog", lambda: shutil.which("iverilog"), "apt-get install iverilog", "verify")
STEPS = 2
"""Steps that `build` announces: engines folded, sources written."""
TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "rtl-verilog": Target(
            "rtl-verilog", "streaming SystemVerilog, an engine a layer", "icarus", (COCOTB, ICARUS), STEPS
        )
    }
)
