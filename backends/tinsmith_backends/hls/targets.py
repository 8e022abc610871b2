"""The HLS flows: which project hls4ml writes for each, and how it compiles on a machine without the vendor's tools."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from tinsmith.backend import Target, Tool


def _hls4ml_version() -> str | None:
    try:
        return version("hls4ml")
    except PackageNotFoundError:
        return None


HLS4ML = Tool("hls4ml", _hls4ml_version, "pip install 'tinsmith[fpga]'")
GXX = Tool("g++", lambda: shutil.which("g++"), "apt-get install g++", "verify")
STEPS = 2
"""Steps that `build` announces: layers lowered, project written."""


@dataclass(frozen=True)
class HlsTarget:
    """One flow.

    Attributes:
        target: what the command line shows of it.
        backend: hls4ml's name of it.
        part: the device that the project names where no recipe does.
        headers: folders of number types below the project, for g++.
        sizes: whether the project's C++ entry also returns the size of each port.
    """

    target: Target
    backend: str
    part: str
    headers: tuple[str, ...]
    sizes: bool = False


def _flow(name: str, tool: str, part: str, headers: tuple[str, ...], *, sizes: bool = False) -> HlsTarget:
    target = Target(f"hls-{name}", f"hls4ml project for {tool}", "native", (HLS4ML, GXX), STEPS)
    return HlsTarget(target, name.capitalize(), part, headers, sizes)


_AC = ("firmware/ac_types/include", "firmware/ac_math/include", "firmware/ac_simutils/include", "firmware/nnet_utils")
TARGETS: Mapping[str, HlsTarget] = MappingProxyType(
    {
        flow.target.name: flow
        for flow in (
            _flow("vitis", "Vitis HLS", "xc7a100tcsg324-1", ("firmware/ap_types",)),
            _flow("vivado", "Vivado HLS", "xc7a100tcsg324-1", ("firmware/ap_types",)),
            _flow(
                "quartus", "the Intel HLS compiler", "Arria10", ("firmware/ac_types", "firmware/ap_types"), sizes=True
            ),
            _flow("catapult", "Catapult HLS", "xc7a100tcsg324-1", _AC),
        )
    }
)
"""Every flow by target name."""
