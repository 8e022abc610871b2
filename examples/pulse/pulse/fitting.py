"""Networks for every noise level: one trained for all, then for each level one in float and one under rounding."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import torch

from pulse.detector import Detector, generate
from pulse.network import PulseNet, as_input
from pulse.rounding import Ranges, equalize, measure_ranges, under_rounding
from pulse.training import Training, train

CALIBRATION = 2048
"""Pulses on which ranges are measured."""


@dataclass(frozen=True)
class Fitted:
    """The networks of one noise level.

    Attributes:
        snr_db: the signal-to-noise ratio at which they were trained.
        floating: the float network.
        rounding: the network trained on under rounding, whose weights the compiler quantizes.
        ranges: what the 8 bits of its layers reach.
    """

    snr_db: float
    floating: PulseNet
    rounding: PulseNet
    ranges: Ranges


@dataclass(frozen=True)
class Schedule:
    """Steps of the three trainings."""

    common: Training
    own: Training
    rounded: Training


DEFAULT = Schedule(
    common=Training(),
    own=Training(steps=2500, rate=1e-3, settled_db=np.inf),
    rounded=Training(steps=1200, rate=4e-4, settled_db=np.inf),
)
"""Some four minutes on one quiet core, and less on two."""


def fit_common(
    detector: Detector, schedule: Schedule, report: Callable[[int, float, float], None] | None = None
) -> PulseNet:
    """One network for every signal-to-noise ratio: a good beginning for each, and no more, since it must guess it."""
    torch.manual_seed(schedule.common.seed)
    return train(PulseNet(detector), schedule.common, report)


def fit_level(common: PulseNet, snr_db: float, schedule: Schedule) -> Fitted:
    """The networks of a detector whose pulses of mean energy have this signal-to-noise ratio."""
    at = {"snr_db": (snr_db - 0.5, snr_db + 0.5)}
    floating = train(deepcopy(common), replace(schedule.own, **at))
    pulses = generate(common.detector, CALIBRATION, snr_db, np.random.default_rng(3))
    inputs = torch.from_numpy(as_input(pulses.counts))
    rounding = deepcopy(floating)
    equalize(rounding, inputs)
    ranges = measure_ranges(rounding, inputs)
    with under_rounding(rounding, ranges):
        train(rounding, replace(schedule.rounded, **at))
    return Fitted(snr_db, floating, rounding, ranges)


States = tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], Ranges]
"""Parameters of the float network and of the one trained under rounding, and ranges."""


def level_states(detector: Detector, common: dict[str, torch.Tensor], snr_db: float, schedule: Schedule) -> States:
    """`fit_level` from parameters to parameters, for a process of its own."""
    torch.set_num_threads(1)
    found = fit_level(_with(detector, common), snr_db, schedule)
    return found.floating.state_dict(), found.rounding.state_dict(), found.ranges


def level_from(detector: Detector, snr_db: float, states: States) -> Fitted:
    """The networks that `level_states` trained."""
    floating, rounding, ranges = states
    return Fitted(snr_db, _with(detector, floating), _with(detector, rounding), ranges)


def _with(detector: Detector, state: dict[str, torch.Tensor]) -> PulseNet:
    net = PulseNet(detector)
    net.load_state_dict(state)
    return net.eval()
