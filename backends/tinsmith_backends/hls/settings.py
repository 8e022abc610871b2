"""How a project is built: what the exact graph leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinsmith import settings as told
from tinsmith.settings import Setting, one_of, positive

IO_TYPES = ("io_parallel", "io_stream")
STRATEGIES = ("latency", "resource")


def _number(value: str) -> str | None:
    try:
        return None if 0 < float(value) < 1e6 else "it is a period in nanoseconds"
    except ValueError:
        return "it is a period in nanoseconds"


def known(part: str) -> tuple[Setting, ...]:
    """The settings of a flow whose usual device is `part`."""
    return (
        Setting("io_type", "a layer's whole output at once, or a stream of pixels", "io_parallel", one_of(*IO_TYPES)),
        Setting("reuse", "how often a multiplier works for one inference of its layer", "1", positive),
        Setting("strategy", "how dense layers and convolutions are built", "latency", one_of(*STRATEGIES)),
        Setting("clock_ns", "period of the clock that the project asks for, in nanoseconds", "5", _number),
        Setting("part", "the FPGA, as the vendor's tool names it", part, lambda value: None),
    )


@dataclass(frozen=True)
class Settings:
    """What hls4ml is told besides the network; see `known` for what each means."""

    io_type: str
    reuse: int
    strategy: str
    clock_ns: float
    part: str

    @staticmethod
    def resolve(given: told.Settings, target: str, part: str) -> Settings:
        """From what the user wrote; raises `TinsmithError` with everything that is wrong with it."""
        values = told.resolve(known(part), given, target)
        reuse, clock = int(values["reuse"]), float(values["clock_ns"])
        return Settings(values["io_type"], reuse, values["strategy"], clock, values["part"])

    @property
    def of_layers(self) -> dict[str, Any]:
        """hls4ml's settings of every layer."""
        return {"ReuseFactor": self.reuse, "Strategy": self.strategy}
