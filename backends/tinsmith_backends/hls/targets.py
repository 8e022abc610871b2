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
ADDERS = "distributed_arithmetic"
"""A layer of constants as a graph of adders, without a multiplier: da4ml finds it."""
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
        strategies: how hls4ml can build a layer with weights for it, the usual way first. (It takes any name
            for any flow, and builds something else.)
        sizes: whether the project's C++ entry also returns the size of each port.
        shows_streams: whether hls4ml's C++ shows what passes between layers in io_stream. (For Quartus it prints the
            last layer's values under every name, and beyond the end of their arrays.)
        tables: whether its C++ has a table of any function.
    """

    target: Target
    backend: str
    part: str
    headers: tuple[str, ...]
    strategies: tuple[str, ...]
    sizes: bool = False
    shows_streams: bool = True
    tables: bool = False


def _flow(
    name: str, tool: str, part: str, headers: tuple[str, ...], strategies: tuple[str, ...], **flags: bool
) -> HlsTarget:
    target = Target(f"hls-{name}", f"hls4ml project for {tool}", "native", (HLS4ML, GXX), STEPS)
    return HlsTarget(target, name.capitalize(), part, headers, strategies, **flags)


_AP = ("firmware/ap_types",)
_INTEL = ("firmware/ac_types", "firmware/ap_types")
_AC = ("firmware/ac_types/include", "firmware/ac_math/include", "firmware/ac_simutils/include", "firmware/nnet_utils")
_XILINX = ("latency", "resource", ADDERS)
TARGETS: Mapping[str, HlsTarget] = MappingProxyType(
    {
        flow.target.name: flow
        for flow in (
            _flow("vitis", "Vitis HLS", "xc7a100tcsg324-1", _AP, _XILINX, tables=True),
            _flow("vivado", "Vivado HLS", "xc7a100tcsg324-1", _AP, _XILINX, tables=True),
            _flow(
                "quartus", "the Intel HLS compiler", "Arria10", _INTEL, ("resource",), sizes=True, shows_streams=False
            ),
            _flow("catapult", "Catapult HLS", "xc7a100tcsg324-1", _AC, ("latency", "resource")),
        )
    }
)
"""Every flow by target name."""
