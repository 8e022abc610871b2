"""What a binarization method is: how weights and inputs become bits, and what scales the result."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from tinsmith.train.geometry import Geometry
from tinsmith.train.signs import clipped_sign


class BinaryMethod(nn.Module):
    """One method at work in one layer; it holds what the method learns there.

    The layer computes `output(product(pad(activation(x)) * input_scale(x), weight(w)))`. A method overrides the parts
    in which it differs from plain signs with clipped straight-through gradients, which are what this class does.

    Args:
        geometry: sizes of the layer.
    """

    name: ClassVar[str]
    """What `binarize(method=…)` calls it."""
    learns_threshold: ClassVar[bool] = False
    """Whether inputs that never change sign can become informative in training."""
    scales_input: ClassVar[bool] = False
    """Whether `input_scale` gives a factor."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__()
        self.geometry = geometry

    @classmethod
    def refusal(cls, geometry: Geometry) -> str:
        """Why the method cannot work in a layer of this geometry; empty if it can."""
        return ""

    def activation(self, x: Tensor) -> Tensor:
        """The input as bits: ±1 of the shape of `x`, with the method's gradient."""
        return clipped_sign(x)

    def input_scale(self, x: Tensor) -> Tensor | None:
        """A factor of the bits that is computed from the unpadded input, without gradient; None for none."""
        return None

    def weight(self, weight: Tensor) -> Tensor:
        """The weights that are multiplied: ±1, or ±scale, of the shape of `weight`, with the method's gradient."""
        return clipped_sign(weight)

    def channel_factor(self) -> Tensor | None:
        """A factor (out,) of the product, beside the scale of the weights; None for none."""
        return None

    def position_factor(self) -> Tensor | None:
        """A factor of the product that broadcasts over the spatial axes; None for none."""
        return None

    def input_threshold(self) -> Tensor | None:
        """What a value of each input channel, (in,), has to reach to become +1 in evaluation; None for 0."""
        return None

    def output(self, y: Tensor) -> Tensor:
        """The product, scaled; the bias is added later."""
        channels, positions = self.channel_factor(), self.position_factor()
        y = y if channels is None else y * self.geometry.per_channel(channels)
        return y if positions is None else y * positions

    def schedule(self, progress: float, step: float = 0.0) -> None:
        """Called when an epoch begins, for methods that change in the course of training.

        Args:
            progress: share of the training that is done, 0 in the first epoch.
            step: the share that this epoch is.
        """
