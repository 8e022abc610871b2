"""FDA: the derivative of the sign in the frequency domain, and noise that fades."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from tinsmith.train.geometry import Geometry
from tinsmith.train.gradients import with_slope
from tinsmith.train.methods.base import BinaryMethod
from tinsmith.train.signs import fourier_slope, mean_magnitude, sign

FIRST_TERMS = 9
MORE_TERMS = 9
"""Terms of the Fourier series go from `FIRST_TERMS` up by this many in the course of training."""
FIRST_NOISE = 0.1


class Noise(nn.Module):
    """fc2(relu(fc1(x))) + 0.1·sin(x) over the last axis, of length `features`; the bottleneck is a 64th of it.

    Where that would be nothing, the bottleneck is a fourth, at least 1.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        hidden = features // 64 or max(1, features // 4)
        self.fc1 = nn.Linear(features, hidden, bias=False)
        self.fc2 = nn.Linear(hidden, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(…, features) → the same shape."""
        correction: Tensor = self.fc2(functional.relu(self.fc1(x)))
        return correction + 0.1 * torch.sin(x)


class FDA(BinaryMethod):
    """α·(sign(W) + η·N(W)) and sign(a) + η·N(a), with the gradient of a Fourier series of the sign; α is mean |W|.

    The series has 9 terms more than the first at the start of training and 18 towards its end. η fades from 0.1 to 0
    as half a cosine. N is a small learned module: of the weights of an output channel, of the channels of a pixel.
    α has no gradient and multiplies that of the weights, as in BiBench's release.

    Unlike there, noise is left out in evaluation, also while η > 0, so that what is measured is what a device gets;
    and its modules are made with the layer, not in its first call, so that the optimizer knows them.

    Xu and others, "Learning Frequency Domain Approximation for Binary Neural Networks", 2021.
    """

    name = "fda"

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.weight_noise = Noise(geometry.fan_in)
        self.input_noise = Noise(geometry.in_channels)
        self.terms = FIRST_TERMS
        self.eta = FIRST_NOISE

    def activation(self, x: Tensor) -> Tensor:
        """sign(x), in training with noise."""
        bits = self._sign(x)
        if not self._noisy():
            return bits
        channels = -1 - self.geometry.dims
        noise = self.input_noise(x.movedim(channels, -1)).movedim(-1, channels)
        return bits + self.eta * noise

    def weight(self, weight: Tensor) -> Tensor:
        """α·sign(W), in training with noise."""
        bits = self._sign(weight)
        if self._noisy():
            bits = bits + self.eta * self.weight_noise(weight.flatten(1)).reshape(weight.shape)
        return mean_magnitude(weight) * bits

    def schedule(self, progress: float, step: float = 0.0) -> None:
        """More terms, less noise."""
        self.terms = FIRST_TERMS + int(MORE_TERMS * progress)
        self.eta = FIRST_NOISE / 2 * (1 + math.cos(math.pi * min(1.0, progress + step)))

    def _noisy(self) -> bool:
        return self.training and self.eta > 0

    def _sign(self, x: Tensor) -> Tensor:
        return with_slope(sign(x), x, fourier_slope(x, self.terms))
