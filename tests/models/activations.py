"""A small network with the smooth activations of today's networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """A depthwise and a pointwise convolution, as in MobileNetV3, and what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deep = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.wide = nn.Conv2d(channels, channels, 1)
        self.inner, self.outer = nn.Hardswish(), nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """(1, channels, height, width) to the same."""
        y: Tensor = x + self.outer(self.wide(self.inner(self.deep(x))))
        return y


class Activations(nn.Module):
    """Tanh, hard swish, SiLU, GELU, ELU and a sigmoid at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Tanh())
        self.blocks = nn.Sequential(Block(8), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.ELU())
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(12 * 4 * 4, 10), nn.GELU(), nn.Linear(10, 4), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """(1, 2, 8, 8) to (1, 4)."""
        y: Tensor = self.head(self.blocks(self.stem(x)))
        return y


def network() -> tuple[nn.Module, tuple[Tensor, ...]]:
    """The network with random weights, and an input."""
    torch.manual_seed(5)
    return Activations().eval(), (torch.zeros(1, 2, 8, 8),)
