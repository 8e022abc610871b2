"""A small convolutional network for 8×8 handwritten digits: `tinsmith compile examples/digits/net.py:digits …`."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

OUT = Path(__file__).resolve().parents[1] / "out" / "quickstart"
"""Where train.py puts the weights and the samples."""


class Residual(nn.Module):
    """x + f(x), f being a depthwise and a 1×1 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm1(self.depthwise(x)))
        return torch.relu(x + self.norm2(self.pointwise(y)))


class Digits(nn.Module):
    """(n, 1, 8, 8) in [0, 1] → (n, 10) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 24, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(24)
        self.block1 = Residual(24)
        self.pool = nn.MaxPool2d(2)
        self.wide = nn.Conv2d(24, 48, 3, padding=1)
        self.block2 = Residual(48)
        self.head = nn.Linear(48, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.stem(image)))
        x = self.pool(self.block1(x))
        x = self.block2(torch.relu(self.wide(x)))
        return self.head(x.mean(dim=(2, 3)))


def digits() -> tuple[nn.Module, tuple[torch.Tensor]]:
    """The trained network and an example input; run train.py first."""
    net = Digits()
    net.load_state_dict(torch.load(OUT / "digits.pt", weights_only=True))
    return net.eval(), (torch.zeros(1, 1, 8, 8),)
