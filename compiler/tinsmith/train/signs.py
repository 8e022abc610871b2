"""The sign, and the slopes that stand in for its derivative, which is zero almost everywhere."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tinsmith.train.gradients import with_slope

FOURIER_FREQUENCY = 0.1
"""Angular frequency of the Fourier series' first term."""


def sign(x: Tensor) -> Tensor:
    """+1 where x >= 0, else -1: zero counts as positive, as it has to have one of the two bits."""
    return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)


def clip_slope(x: Tensor) -> Tensor:
    """Derivative of clamp(x, -1, 1): 1 where |x| <= 1, else 0."""
    return (x.abs() <= 1).to(x.dtype)


def triangle_slope(x: Tensor) -> Tensor:
    """max(0, 2 - 2|x|), the derivative of a piecewise quadratic sign.

    That function is -1 below -1, x² + 2x up to 0, -x² + 2x up to 1, and 1 above.
    """
    return (2 - 2 * x.abs()).clamp(min=0)


def fourier_slope(x: Tensor, terms: int) -> Tensor:
    """Derivative of the square wave's Fourier series with terms 0…`terms`, zero outside [-1, 1].

    (4w/π) Σ cos((2i+1)·w·x) with w = `FOURIER_FREQUENCY`.
    """
    angle = FOURIER_FREQUENCY * x
    # The sum of cosines in closed form: one sine instead of `terms` cosines.
    ratio = torch.sin(2 * (terms + 1) * angle) / (2 * torch.sin(angle))
    total = torch.where(angle == 0, float(terms + 1), ratio)
    return torch.where(x.abs() <= 1, total * (4 * FOURIER_FREQUENCY / math.pi), 0.0)


def clipped_sign(x: Tensor) -> Tensor:
    """sign(x) with the slope of clamp(x, -1, 1)."""
    return with_slope(sign(x), x, clip_slope(x))


def mean_magnitude(weight: Tensor) -> Tensor:
    """Mean |weight| of each output channel, a constant for the gradient: (out, in, …) → (out, 1, …)."""
    return weight.detach().abs().mean(dim=tuple(range(1, weight.dim())), keepdim=True)


def scaled_sign(weight: Tensor) -> Tensor:
    """α·sign(weight), α being `mean_magnitude`, with the slope of clamp(weight, -1, 1).

    α does not multiply the gradient: it is the size of a weight, and would make small weights learn slowly.
    """
    return with_slope(mean_magnitude(weight) * sign(weight), weight, clip_slope(weight))
