"""Eight ways to spoil images in [0, 1], each at three strengths. The same seed spoils the same way."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Generator, Tensor

STRENGTHS = (1, 2, 3)


def gaussian_noise(x: Tensor, strength: int, random: Generator) -> Tensor:
    """x + N(0, 0.1 · strength)."""
    return x + 0.1 * strength * torch.randn(x.shape, generator=random)


def shot_noise(x: Tensor, strength: int, random: Generator) -> Tensor:
    """Poisson(λ · x) / λ for λ of 24, 12 and 6 photons."""
    photons = 48 / 2**strength
    return torch.poisson(x.clamp(0, 1) * photons, generator=random) / photons


def impulse_noise(x: Tensor, strength: int, random: Generator) -> Tensor:
    """5 % · strength of the pixels become black or white."""
    hit = torch.rand(x.shape, generator=random) < 0.05 * strength
    return torch.where(hit, torch.rand(x.shape, generator=random).round(), x)


def blur(x: Tensor, strength: int, random: Generator) -> Tensor:
    """A mix of the image and its mean over 3×3 pixels: 1/3 · strength of the latter."""
    mean = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return torch.lerp(x, mean, strength / 3)


def contrast(x: Tensor, strength: int, random: Generator) -> Tensor:
    """Values move towards the image's mean by 25 % · strength of their distance."""
    return torch.lerp(x, x.mean(dim=(1, 2, 3), keepdim=True).expand_as(x), 0.25 * strength)


def brightness(x: Tensor, strength: int, random: Generator) -> Tensor:
    """x + 0.15 · strength."""
    return x + 0.15 * strength


def occlusion(x: Tensor, strength: int, random: Generator) -> Tensor:
    """A grey square at a place of its own in each image, with 1/8 · (strength + 1) of the image's side."""
    side = x.shape[-1] * (strength + 1) / 8
    row, column = (torch.rand(len(x), 1, 1, 1, generator=random) * (size - side) for size in x.shape[-2:])
    rows, columns = torch.arange(x.shape[-2]).reshape(1, 1, -1, 1), torch.arange(x.shape[-1]).reshape(1, 1, 1, -1)
    inside = (rows >= row) & (rows < row + side) & (columns >= column) & (columns < column + side)
    return torch.where(inside, 0.5, x)


def rotation(x: Tensor, strength: int, random: Generator) -> Tensor:
    """By 12° · strength to a random side, with bilinear interpolation."""
    turn = torch.rand(len(x), generator=random).round() * 2 - 1
    angle = turn * math.radians(12 * strength)
    zero = torch.zeros_like(angle)
    rows = (angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero)
    grid = functional.affine_grid(torch.stack(rows, 1).reshape(-1, 2, 3), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)


CORRUPTIONS: dict[str, Callable[[Tensor, int, Generator], Tensor]] = {
    each.__name__: each
    for each in (gaussian_noise, shot_noise, impulse_noise, blur, contrast, brightness, occlusion, rotation)
}


def corrupt(x: Tensor, name: str, strength: int, seed: int = 0) -> Tensor:
    """Images (n, c, h, w) spoilt, in [0, 1]."""
    return CORRUPTIONS[name](x, strength, Generator().manual_seed(seed)).clamp(0, 1)
