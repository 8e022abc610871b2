"""What Linear, Conv1d and Conv2d have in common: a product of padded inputs with weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as functional
from torch import Tensor, nn

LAYER_TYPES = (nn.Linear, nn.Conv1d, nn.Conv2d)


@dataclass(frozen=True)
class Geometry:
    """Sizes of one layer. `dims` is the number of spatial axes: 0 for Linear, 1 and 2 for convolutions.

    Inputs are (…, in) for Linear and (…, in, *space) for convolutions; weights are (out, in / groups, *kernel).
    """

    in_channels: int
    out_channels: int
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[tuple[int, int], ...] = ()
    """(before, after) of each spatial axis."""
    dilation: tuple[int, ...] = ()
    groups: int = 1

    @classmethod
    def of(cls, layer: nn.Module) -> Geometry:
        """The geometry of a Linear, Conv1d or Conv2d with zero padding."""
        if isinstance(layer, nn.Linear):
            return cls(layer.in_features, layer.out_features)
        return cls(
            layer.in_channels,
            layer.out_channels,
            tuple(layer.kernel_size),
            tuple(layer.stride),
            _padding(layer),
            tuple(layer.dilation),
            layer.groups,
        )

    @property
    def dims(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel)

    @property
    def fan_in(self) -> int:
        """Products in one output."""
        return self.in_channels // self.groups * math.prod(self.kernel)

    @property
    def sample_axes(self) -> tuple[int, ...]:
        """The axes of an input over which a sample's (for Linear: a token's) statistics are taken."""
        return tuple(range(-1 - self.dims, 0))

    def per_channel(self, values: Tensor) -> Tensor:
        """(channels,) values, shaped to broadcast over the channel axis of an input or output."""
        return values.reshape(-1, *(1,) * self.dims)

    def pad(self, x: Tensor, value: float) -> Tensor:
        """`x` with the layer's padding around it, made of `value`."""
        flat = [amount for pair in reversed(self.padding) for amount in pair]
        return functional.pad(x, flat, value=value) if any(flat) else x

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """The layer's product of an input that is padded already, without bias."""
        if self.dims == 0:
            return functional.linear(x, weight)
        convolve = functional.conv1d if self.dims == 1 else functional.conv2d
        return convolve(x, weight, None, self.stride, 0, self.dilation, self.groups)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the product of an input of `shape`, which is not padded yet."""
        if self.dims == 0:
            return (*shape[:-1], self.out_channels)
        space = zip(shape[-self.dims :], self.kernel, self.stride, self.padding, self.dilation, strict=True)
        counts = [(size + sum(pads) - d * (k - 1) - 1) // stride + 1 for size, k, stride, pads, d in space]
        return (*shape[: -self.dims - 1], self.out_channels, *counts)

    def __str__(self) -> str:
        if self.dims == 0:
            return f"{self.in_channels} → {self.out_channels}"
        sizes = "×".join(map(str, self.kernel))
        parts = [f"{self.in_channels} → {self.out_channels}, kernel {sizes}"]
        parts += [f"stride {self.stride}"] if set(self.stride) != {1} else []
        parts += [f"padding {self.padding}"] if any(map(any, self.padding)) else []
        parts += [f"dilation {self.dilation}"] if set(self.dilation) != {1} else []
        parts += [f"groups {self.groups}"] if self.groups != 1 else []
        return ", ".join(parts)


def _padding(layer: nn.Module) -> tuple[tuple[int, int], ...]:
    if layer.padding == "valid":
        return tuple((0, 0) for _ in layer.kernel_size)
    if layer.padding == "same":
        totals = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((amount, amount) for amount in layer.padding)
