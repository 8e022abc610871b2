"""How a project is built: what the exact graph leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal


@dataclass(frozen=True)
class Settings:
    """What hls4ml is told besides the network.

    Attributes:
        io_type: `io_parallel` passes a layer's whole output at once, `io_stream` one pixel after the other.
        clock_ns: period of the clock that the project asks for, in nanoseconds.
        part: the FPGA, as the vendor's tool names it.
        reuse: how often a multiplier works for one inference of its layer; by pattern of layer names.
        strategy: `latency`, `resource` or `distributed_arithmetic`; by pattern of layer names.
    """

    io_type: Literal["io_parallel", "io_stream"] = "io_parallel"
    clock_ns: float = 5.0
    part: str = ""
    reuse: Mapping[str, int] = field(default_factory=dict)
    strategy: Mapping[str, str] = field(default_factory=dict)

    def of(self, layer: str) -> dict[str, Any]:
        """hls4ml's settings of one layer: the last pattern that matches holds."""
        found: dict[str, Any] = {"ReuseFactor": 1, "Strategy": "latency"}
        for key, patterns in (("ReuseFactor", self.reuse), ("Strategy", self.strategy)):
            for pattern, value in patterns.items():
                if fnmatchcase(layer, pattern):
                    found[key] = value
        return found
