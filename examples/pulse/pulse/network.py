"""The pulse network: bytes of the ADC's words in, time and energy out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

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


class PulseNet(nn.Module):
    """(n, 8, 16) bytes → (n, 2): arrival in sampling periods from the middle of its range, and energy less 1, scaled.

    An encoder of three convolutions, a transposed convolution back to the encoder's resolution with a shortcut beside
    it, and two linear layers. Channels are multiples of 8.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stem = nn.Conv1d(CHANNELS, width, 3, padding=1)
        self.down = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.deep = nn.Conv1d(width, width, 3, padding=1)
        self.up = nn.ConvTranspose1d(width, width, 2, stride=2)
        self.join = nn.Conv1d(width, 16, 3, padding=1)
        self.hidden = nn.Linear(16 * 16, 32)
        self.head = nn.Linear(32, 2)

    def forward(self, pulse: torch.Tensor) -> torch.Tensor:
        fine = torch.relu(self.stem(pulse))
        coarse = torch.relu(self.deep(torch.relu(self.down(fine))))
        joined = torch.relu(self.join(torch.relu(self.up(coarse) + fine)))
        return self.head(torch.relu(self.hidden(joined.flatten(1))))


def example_input() -> torch.Tensor:
    """One pulse of zeros."""
    return torch.zeros(1, CHANNELS, Detector().samples // STRIDE)
