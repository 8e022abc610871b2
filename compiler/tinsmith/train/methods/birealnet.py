"""Bi-Real Net: a closer stand-in for the derivative of the sign of activations."""

from __future__ import annotations

from torch import Tensor

from tinsmith.train.gradients import with_slope
from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.signs import scaled_sign, sign, triangle_slope


class BiRealNet(BinaryMethod):
    """α·sign(W), α being mean |W| of an output channel; sign(a) with the gradient of a piecewise quadratic.

    Weight gradients pass where |W| <= 1, not multiplied by α. Linear keeps its bias, which BiBench's release
    loses.

    Liu and others, "Bi-Real Net", 2018.
    """

    name = "birealnet"

    def activation(self, x: Tensor) -> Tensor:
        """sign(x), derivative max(0, 2 - 2|x|)."""
        return with_slope(sign(x), x, triangle_slope(x))

    def weight(self, weight: Tensor) -> Tensor:
        """α·sign(W)."""
        return scaled_sign(weight)
