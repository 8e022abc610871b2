"""The model of every module."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinsmith_backends.rtl.clock_models.engines import Ending, Lanes, Mvu
from tinsmith_backends.rtl.clock_models.model import Model, Ports
from tinsmith_backends.rtl.clock_models.streams import Fifo, Fork, Join, Slices, gearbox
from tinsmith_backends.rtl.clock_models.windows import Slide, Window
from tinsmith_backends.rtl.instances import Parameter

MODELS: Mapping[str, Callable[[Mapping[str, int], Ports], Model]] = {
    "tsm_concat": Join,
    "tsm_ending": Ending,
    "tsm_fifo": Fifo,
    "tsm_fork": Fork,
    "tsm_gearbox": gearbox,
    "tsm_join": Join,
    "tsm_lanes": Lanes,
    "tsm_mvu": Mvu,
    "tsm_slice": lambda p, ports: Slices(1, ports),
    "tsm_slide": Slide,
    "tsm_table": lambda p, ports: Slices(1, ports),
    "tsm_window": Window,
}
"""By module name."""


def model_of(module: str, parameters: Mapping[str, Parameter], ports: Ports) -> Model:
    """The model of an instance."""
    return MODELS[module]({name: value for name, value in parameters.items() if isinstance(value, int)}, ports)
