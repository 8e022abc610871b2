"""The activation of ReActNet: a PReLU whose corner is learned."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

FIRST_SLOPE = 0.25


class RPReLU(nn.Module):
    """prelu(x + before) + after; the shifts, first 0, and the slope, first 0.25, are learned for each channel.

    Args:
        channels: length of axis 1 of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = nn.Parameter(torch.zeros(channels))
        self.after = nn.Parameter(torch.zeros(channels))
        self.slope = nn.Parameter(torch.full((channels,), FIRST_SLOPE))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, …) → the same shape."""
        shape = (-1, *(1,) * (x.dim() - 2))
        moved = x + self.before.reshape(shape)
        return functional.prelu(moved, self.slope) + self.after.reshape(shape)
