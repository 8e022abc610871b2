"""How a project is built: what the exact graph leaves open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinsmith import settings as told
from tinsmith.errors import Problems
from tinsmith.settings import Setting, one_of, positive

from tinsmith_backends.hls.targets import ADDERS, HlsTarget

IO_TYPES = ("io_parallel", "io_stream")


def _number(value: str) -> str | None:
    try:
        return None if 0 < float(value) < 1e6 else "it is a period in nanoseconds"
    except ValueError:
        return "it is a period in nanoseconds"


def known(flow: HlsTarget) -> tuple[Setting, ...]:
    """The settings of a flow."""
    usual, built = flow.strategies[0], one_of(*flow.strategies)
    return (
        Setting("io_type", "a layer's whole output at once, or a stream of pixels", "io_parallel", one_of(*IO_TYPES)),
        Setting("reuse", "how often a multiplier works for one inference of its layer", "1", positive, layers=True),
        Setting("strategy", "how a layer with weights is built", usual, built, layers=True),
        Setting("clock_ns", "period of the clock that the project asks for, in nanoseconds", "5", _number),
        Setting("part", "the FPGA, as the vendor's tool names it", flow.part, lambda value: None),
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
    flow: HlsTarget
    given: told.Settings

    @staticmethod
    def resolve(given: told.Settings, flow: HlsTarget) -> Settings:
        """From what the user wrote; raises `TinsmithError` with everything that is wrong with it."""
        values = told.resolve(known(flow), given, flow.target.name)
        return Settings(values["io_type"], float(values["clock_ns"]), values["part"], flow, given)

    def of_layer(self, layer: str) -> LayerSettings:
        """How the layer of this name is built."""
        values = told.of_layer(known(self.flow), self.given, layer)
        return LayerSettings(int(values["reuse"]), values["strategy"])

    @property
    def shows_layers(self) -> bool:
        """Whether the project's C++ can show what passes between layers."""
        return self.io_type == "io_parallel" or self.flow.shows_streams

    def check(self, layers: Iterable[str]) -> None:
        """Raise `TinsmithError` with everything that cannot be done for the layers with weights."""
        names = list(dict.fromkeys(layers))
        told.check_layers(self.given, names, kind="layer with weights")
        problems = Problems()
        for name in names:
            built = self.of_layer(name)
            if built.strategy == ADDERS and built.reuse != 1:
                why = "adder graphs are built of constants and cannot be used twice for one result"
                what = f"{ADDERS} has a reuse of {built.reuse}"
                problems.add(what, where=name, why=why, fix=f'--set "reuse@{name}=1"')
        problems.check()
