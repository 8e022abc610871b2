"""ReCU: weights that will hardly ever change sign are brought back into reach."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tinsmith.train.geometry import Geometry
from tinsmith.train.gradients import with_gradient_of, with_slope
from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.signs import sign, triangle_slope

FIRST_TAU = 0.85
LAST_TAU = 0.99
EPSILON = 1e-5
"""Added to a variance before its root is divided by."""


class ReCU(BinaryMethod):
    """sign of clamp(w, -Q, Q), w being W standardised per output channel; the gradient is that of the clamped w.

    w = (W - mean) / (std / 2√2), Q = -mean |w| · ln(2 - 2τ), with τ from 0.85 to 0.99 in the course of training.
    Inputs are divided by their standard deviation in training (which no sign notices) and have the gradient
    max(0, 2 - 2|a|). The product is multiplied by a learned scale per output channel, first uniform in [0, 1).

    Unlike BiBench's release, Q stays a tensor, where that waits for the device; and τ is 0.85 before the first
    schedule, where that has 1, which clamps nothing.

    Xu and others, "ReCU: Reviving the Dead Weights in Binary Neural Networks", 2021.
    """

    name = "recu"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.channel_scale = nn.Parameter(torch.rand(geometry.out_channels))
        self.tau = FIRST_TAU

    @classmethod
    def refusal(cls, geometry: Geometry) -> str:
        """One weight has no variance."""
        if geometry.fan_in > 1:
            return ""
        return "recu divides by the standard deviation of an output channel's weights, and there is one weight"

    def activation(self, x: Tensor) -> Tensor:
        """sign(x), derivative max(0, 2 - 2|x|) of the standardised x."""
        if self.training:
            x = x / torch.sqrt(x.var(dim=self.geometry.sample_axes, keepdim=True) + EPSILON)
        return with_slope(sign(x), x, triangle_slope(x))

    def weight(self, weight: Tensor) -> Tensor:
        """sign(W - mean), with the gradient of what was clamped."""
        axes = tuple(range(1, weight.dim()))
        centred = weight - weight.mean(dim=axes, keepdim=True)
        deviation = torch.sqrt(centred.var(dim=axes, keepdim=True) + EPSILON)
        standard = centred / (deviation / (2 * math.sqrt(2)))
        bound = -standard.detach().abs().mean() * math.log(2 - 2 * self.tau)
        clamped = torch.clamp(standard, -bound, bound)
        return with_gradient_of(sign(clamped), clamped)

    def channel_factor(self) -> Tensor:
        """The learned scale."""
        return self.channel_scale

    def schedule(self, progress: float, step: float = 0.0) -> None:
        """τ grows exponentially from 0.85 to 0.99."""
        growth = (LAST_TAU - FIRST_TAU) / (math.e - 1)
        self.tau = growth * math.exp(progress) + FIRST_TAU - growth
