"""DoReFa-Net with one bit: a scale for the weights."""

from __future__ import annotations

from torch import Tensor

from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.signs import scaled_sign


class DoReFa(BinaryMethod):
    """α·sign(W), α being mean |W| of an output channel; sign(a); both gradients pass where |·| <= 1.

    α is per output channel, as BiBench compares the method. Unlike that release, Linear's gradient is not multiplied
    by α, so that one rule holds for all layers.

    Zhou and others, "DoReFa-Net", 2016.
    """

    name = "dorefa"

    def weight(self, weight: Tensor) -> Tensor:
        """α·sign(W)."""
        return scaled_sign(weight)
