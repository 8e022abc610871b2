"""XNOR-Net++: learned scales of output channels and output positions."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import UninitializedParameter

from tinsmith.errors import TinsmithError
from tinsmith.train.geometry import Geometry
from tinsmith.train.methods.base import BinaryMethod


class PositionScale(LazyModuleMixin, nn.Module):
    """Multiplies each spatial axis by a learned vector, first 1, of the length that the first input has.

    Args:
        dims: number of spatial axes, which are the last ones.
    """

    def __init__(self, dims: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "Lazy modules are a new feature"
            super().__init__()
        self.dims = dims
        for axis in range(dims):
            self.register_parameter(f"axis{axis}", UninitializedParameter())

    def initialize_parameters(self, y: Tensor) -> None:
        """Give the vectors the lengths of the axes of `y`; torch calls it before the first forward."""
        if not self.has_uninitialized_params():
            return
        with torch.no_grad():
            for axis, length in enumerate(y.shape[-self.dims :]):
                vector = self.get_parameter(f"axis{axis}")
                vector.materialize((length, *(1,) * (self.dims - 1 - axis)))
                vector.fill_(1.0)

    def vectors(self) -> list[Tensor]:
        """The factors of each axis, shaped to broadcast."""
        return [self.get_parameter(f"axis{axis}") for axis in range(self.dims)]

    def forward(self, y: Tensor) -> Tensor:
        """(…, *space) → the same shape."""
        vectors = self.vectors()
        learned, got = tuple(len(vector) for vector in vectors), tuple(y.shape[-self.dims :])
        if learned != got:
            why = f"xnor++ learns a scale for each position, and learned {learned} of them"
            raise TinsmithError(f"an output has {got} positions", why=why, fix="keep the input size, or another method")
        for vector in vectors:
            y = y * vector
        return y


class XNORPlus(BinaryMethod):
    """sign(W), sign(a), both gradients passing where |·| <= 1; the product is multiplied by learned scales, first 1.

    Scales are per output channel and, for convolutions, per position along each axis. Their lengths are those of the
    first input; BiBench's release keeps 2000 of each and uses the first ones.
    Scales per position need a multiplication a pixel on a device.

    Bulat and Tzimiropoulos, "XNOR-Net++", 2019.
    """

    name = "xnor++"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.channel_scale = nn.Parameter(torch.ones(geometry.out_channels))
        self.position_scale = PositionScale(geometry.dims) if geometry.dims else nn.Identity()

    def channel_factor(self) -> Tensor:
        """The learned scale of output channels."""
        return self.channel_scale

    def position_factor(self) -> Tensor | None:
        """The product of the scales of all axes, (1, 1, *space)."""
        if not isinstance(self.position_scale, PositionScale):
            return None
        return math.prod(self.position_scale.vectors(), start=torch.ones((1,) * (2 + self.geometry.dims)))

    def output(self, y: Tensor) -> Tensor:
        """y times the scales; those of positions get their lengths from the first y."""
        scaled: Tensor = self.position_scale(y * self.geometry.per_channel(self.channel_scale))
        return scaled
