"""A small convolutional network for 8×8 handwritten digits: `tinsmith train examples/fpga/net.py:digits …`."""

from __future__ import annotations

import torch
from torch import nn


class Digits(nn.Module):
    """(n, 1, 8, 8) in [0, 1] → (n, 10) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self.norm1(self.conv1(x))))
        x = self.pool(torch.relu(self.norm2(self.conv2(x))))
        return self.head(x.flatten(1))


def digits() -> tuple[nn.Module, torch.Tensor]:
    """The network, untrained, and an example input."""
    return Digits(), torch.zeros(1, 1, 8, 8)
