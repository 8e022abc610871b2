"""The pulse network: bytes of the ADC's words in, or the words where 16 bits hold them, time and energy out."""

from __future__ import annotations

import math
from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import parametrize

from pulse.detector import Detector

LOW_BITS = 4
"""Bits of the low part of a sample: 12 bits are 8 and 4."""
STRIDE = 4
"""Samples that stand beside each other as channels."""
CHANNELS = 2 * STRIDE


def as_input(counts: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """(n, samples) ADC counts as the network reads them, (n, 8, samples / 4), each number 0…255.

    The high and the low part of each sample are values of their own, since 8 bits do not hold 12; and four samples
    stand beside each other as channels, which makes the first convolution one of stride 4. With channels last this is
    the very stream of (high, low), (high, low) … that an ADC sends.
    """
    n, samples = counts.shape
    parts = np.stack([counts >> LOW_BITS, counts & (2**LOW_BITS - 1)], axis=-1)  # (n, samples, 2)
    return np.ascontiguousarray(parts.reshape(n, samples // STRIDE, CHANNELS).transpose(0, 2, 1), np.float32)


def as_words(parts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 8, places) as `as_input` gives them → (n, 4, places): whole samples, which 16 bits hold."""
    return np.ascontiguousarray(parts[:, 0::2] * 2**LOW_BITS + parts[:, 1::2])


class Parts(nn.Module):
    """Weights (width, 4, 3) of whole samples to those of their parts (width, 8, 3), so that sums are the same."""

    def __init__(self, full_scale: float) -> None:
        super().__init__()
        self.full_scale = full_scale

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        both = torch.stack((weight * 2**LOW_BITS, weight), dim=2)
        return both.flatten(1, 2) / self.full_scale


def stem(width: int, full_scale: float) -> nn.Conv1d:
    """A convolution over samples, of which each comes as a high and a low part: (n, 8, L) → (n, width, L).

    One trained weight a sample stands for both parts.
    """
    layer = nn.Conv1d(CHANNELS, width, 3, padding=1)
    layer.weight = nn.Parameter(torch.empty(width, STRIDE, 3))
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5))
    parametrize.register_parametrization(layer, "weight", Parts(full_scale), unsafe=True)
    return layer


class PulseNet(nn.Module):
    """(n, 8, 16) bytes → (n, 2): arrival time and energy, each less its mean, in units of its spread.

    An encoder of three convolutions, a transposed convolution back to the encoder's resolution with a shortcut beside
    it, and two linear layers. Channels are multiples of 8.
    """

    def __init__(self, detector: Detector | None = None, width: int = 32) -> None:
        super().__init__()
        self.detector = detector or Detector()
        places = self.detector.samples // STRIDE
        self.stem = stem(width, self.detector.amplitude)
        self.down = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.deep = nn.Conv1d(width, width, 3, padding=1)
        self.up = nn.ConvTranspose1d(width, width, 2, stride=2)
        self.both: nn.Conv1d | None = None
        self.join = nn.Conv1d(width, 16, 3, padding=1)
        self.hidden = nn.Linear(16 * places, 32)
        self.head = nn.Linear(32, 2)

    def forward(self, pulse: torch.Tensor) -> torch.Tensor:
        seen = self.between
        fine = seen("stem", torch.relu(self.stem(pulse)))
        coarse = seen("down", torch.relu(self.down(fine)))
        coarse = seen("deep", torch.relu(self.deep(coarse)))
        both = seen("add", torch.relu(self.sum(seen("up", self.up(coarse)), fine)))
        joined = seen("join", torch.relu(self.join(both)))
        return self.head(seen("hidden", torch.relu(self.hidden(joined.flatten(1)))))

    def sum(self, up: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        """What came up and the shortcut; where there is `both`, by this convolution over the two side by side."""
        return up + fine if self.both is None else self.both(torch.cat((up, fine), 1))

    def between(self, layer: str, value: torch.Tensor) -> torch.Tensor:
        """What is done with the result of a layer; training under rounding (rounding.py) puts itself here."""
        return value


def targets(detector: Detector, time: npt.NDArray[np.float64], energy: npt.NDArray[np.float64]) -> torch.Tensor:
    """(n, 2) what the network should answer."""
    return torch.tensor(np.stack([time / detector.jitter * 2 - 1, (energy - 1) / detector.energy_spread], 1)).float()


def estimates(detector: Detector, answers: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], ...]:
    """Time (periods after the trigger) and energy that the network's answers (n, 2) mean."""
    time, energy = answers.astype(np.float64).T
    return (time + 1) * detector.jitter / 2, 1 + energy * detector.energy_spread


def example_input(channels: int = CHANNELS) -> torch.Tensor:
    """One pulse of zeros."""
    return torch.zeros(1, channels, Detector().samples // STRIDE)


def deployed(net: PulseNet) -> PulseNet:
    """A copy whose stem has the weights of the parts for its own, as the chip has them."""
    return _with_stem(net, net.stem.weight)


def deployed_16(net: PulseNet) -> PulseNet:
    """A copy that answers the same to whole samples (`as_words`), and whose layers all take 16 bits.

    Convolutions read 16 bits, additions do not, so it has a 1×1 convolution by ones for its sum.
    """
    copy = _with_stem(net, net.stem.weight[:, 1::2])  # those of the low parts, which count as samples do
    width = net.up.out_channels
    copy.both = nn.Conv1d(2 * width, width, 1)
    with torch.no_grad():
        copy.both.weight.copy_(torch.cat((torch.eye(width), torch.eye(width)), 1)[:, :, None])
        copy.both.bias.zero_()
    return copy


def _with_stem(net: PulseNet, weight: torch.Tensor) -> PulseNet:
    """A copy with a plain convolution of these weights in front; copies would share the class of a parametrized one."""
    copy = deepcopy(net).eval()
    copy.stem = nn.Conv1d(weight.shape[1], weight.shape[0], 3, padding=1)
    with torch.no_grad():
        copy.stem.weight.copy_(weight)
        copy.stem.bias.copy_(net.stem.bias)
    return copy
