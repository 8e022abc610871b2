"""ReActNet: the sign of each input channel has a threshold that is learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinsmith.train.geometry import Geometry
from tinsmith.train.methods.birealnet import BiRealNet


class ReActNet(BiRealNet):
    """Bi-Real Net on a + b, b being learned for each input channel, first 0 (RSign).

    The sign and its stand-in derivative are both taken of a + b; BiBench's Linear takes the sign of a alone, so that
    its b never matters. RPReLU belongs to networks, not to layers: `tinsmith.train.networks.rprelu`.

    Liu and others, "ReActNet", 2020.
    """

    name = "reactnet"
    learns_threshold = True

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.shift = nn.Parameter(torch.zeros(geometry.in_channels))

    def activation(self, x: Tensor) -> Tensor:
        """sign(x + b)."""
        return super().activation(x + self.geometry.per_channel(self.shift))

    def input_threshold(self) -> Tensor:
        """-b: a float sum a + b is negative just where a < -b."""
        return -self.shift
