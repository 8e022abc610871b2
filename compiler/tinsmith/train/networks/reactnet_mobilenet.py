"""A network in the manner of ReActNet: MobileNet's blocks with dense convolutions, shortcuts and RPReLU."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tinsmith.train.networks.rprelu import RPReLU


class Spatial(nn.Module):
    """rprelu(x + norm(3×3 convolution of x)); x is average-pooled where the convolution has a stride."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.shortcut = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
        self.act = RPReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) → (n, channels, ⌈h / stride⌉, ⌈w / stride⌉)."""
        activated: Tensor = self.act(self.shortcut(x) + self.norm(self.conv(x)))
        return activated


class Pointwise(nn.Module):
    """rprelu(x + norm(1×1 convolution of x)); twice, side by side, where the channels double."""

    def __init__(self, channels: int, copies: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 1, bias=False) for _ in range(copies))
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(copies))
        self.act = RPReLU(copies * channels)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) → (n, copies · channels, h, w)."""
        parts = [x + norm(conv(x)) for conv, norm in zip(self.convs, self.norms, strict=True)]
        activated: Tensor = self.act(torch.cat(parts, dim=1))
        return activated


class ReActMobileNet(nn.Module):
    """A 3×3 stem, blocks of a 3×3 and a 1×1 convolution, global average pooling, a Linear head.

    MobileNet's depthwise convolutions are dense here, as in ReActNet: one bit of nine products is too little.

    Args:
        channels: of an image of any size.
        width: channels behind the stem.
        strides: of each block; a block with stride 2 doubles the channels.
        classes: outputs.
    """

    def __init__(
        self, channels: int = 1, width: int = 32, strides: Sequence[int] = (1, 2, 1, 2, 1), classes: int = 10
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        blocks: list[nn.Module] = []
        for stride in strides:
            copies = 2 if stride > 1 else 1
            blocks.append(nn.Sequential(Spatial(width, stride), Pointwise(width, copies)))
            width *= copies
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) → (n, classes) logits."""
        logits: Tensor = self.head(self.blocks(self.stem(x)).mean(dim=(2, 3)))
        return logits
