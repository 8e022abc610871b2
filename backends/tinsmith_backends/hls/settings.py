"""How a project is built: what the exact graph leaves open."""

from __future__ import annotations

from dataclasses import dataclass

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
        Setting("reuse", "how often a multiplier works for one inference of its layer", "1", positive, layers=True),
        Setting("strategy", "how a layer with weights is built", "latency", one_of(*STRATEGIES), layers=True),
        Setting("clock_ns", "period of the clock that the project asks for, in nanoseconds", "5", _number),
        Setting("part", "the FPGA, as the vendor's tool names it", part, lambda value: None),
    )


@dataclass(frozen=True)
class LayerSettings:
    """What single layers can be told."""

    reuse: int
    strategy: str


@dataclass(frozen=True)
class Settings:
    """What hls4ml is told besides the network; see `known` for what each means."""

    io_type: str
    clock_ns: float
    part: str
    given: told.Settings

    @staticmethod
    def resolve(given: told.Settings, target: str, part: str) -> Settings:
        """From what the user wrote; raises `TinsmithError` with everything that is wrong with it."""
        values = told.resolve(known(part), given, target)
        return Settings(values["io_type"], float(values["clock_ns"]), values["part"], given)

    def of_layer(self, layer: str) -> LayerSettings:
        """How the layer of this name is built."""
        values = told.of_layer(known(self.part), self.given, layer)
        return LayerSettings(int(values["reuse"]), values["strategy"])
