"""XNOR-Net: scales of weights and inputs, taken from their magnitudes."""

from __future__ import annotations

from torch import Tensor

from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.signs import scaled_sign


class XNOR(BinaryMethod):
    """α·sign(W), K·sign(a), α being mean |W| of an output channel and K mean |a| of a sample (Linear: of a token).

    Neither scale has a gradient nor multiplies one; both gradients pass where |·| <= 1. Weights of Linear are centred
    in each row first. K is one number a sample, as in BiBench's release, not the original paper's map of every pixel.

    Unlike that release, Linear's gradient is not multiplied by α and K either, so that one rule holds for all layers.
    K depends on the input, so it stays a run-time multiplication on a device.

    Rastegari and others, "XNOR-Net", 2016.
    """

    name = "xnor"
    scales_input = True

    def input_scale(self, x: Tensor) -> Tensor:
        """K: mean |x| of each sample or token, keeping the axes."""
        return x.detach().abs().mean(dim=self.geometry.sample_axes, keepdim=True)

    def weight(self, weight: Tensor) -> Tensor:
        """α·sign(W), W centred if it is a matrix."""
        if self.geometry.dims == 0:
            weight = weight - weight.mean(dim=1, keepdim=True)
        return scaled_sign(weight)
