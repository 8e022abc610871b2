"""Networks for `tinsmith compile examples/pulse/net.py:NAME …`."""

from __future__ import annotations

import numpy as np
import torch
from pulse.detector import Detector, generate
from pulse.network import PulseNet, as_input, deployed, example_input
from torch import nn


def pulse_net() -> tuple[nn.Module, tuple[torch.Tensor]]:
    """The network with seeded random weights: what it answers means nothing, but it is compiled as the trained one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        net = PulseNet()
    return deployed(net), (example_input(),)


def samples(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Pulses to calibrate with or to run, as the network reads them, by the name of its input; 47.4 dB."""
    pulses = generate(Detector(), count, 47.4, np.random.default_rng(seed))
    return {"pulse": as_input(pulses.counts)}
