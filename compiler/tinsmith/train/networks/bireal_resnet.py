"""A residual network in the manner of Bi-Real Net: a real-valued shortcut around every convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn


class Residual(nn.Module):
    """shortcut(x) + norm(conv(act(x))): what is added up stays real-valued, also when the convolution is binary."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.act = nn.ReLU()
        self.conv = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(after)
        self.shortcut = nn.Identity() if (before, stride) == (after, 1) else _shortcut(before, after, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(n, before, h, w) → (n, after, ⌈h / stride⌉, ⌈w / stride⌉)."""
        total: Tensor = self.shortcut(x) + self.norm(self.conv(self.act(x)))
        return total


class BiRealResNet(nn.Module):
    """A 3×3 stem, stages of residual blocks, a Linear head that sees all positions or their mean.

    Leave `stem`, `blocks.*.shortcut` and `head` real-valued, as the paper does. A head that sees all positions learns
    in fewer epochs, above all from the few values that binary layers give.

    Args:
        channels: of an image.
        widths: channels of each stage; every stage but the first halves rows and columns.
        depth: blocks in a stage.
        classes: outputs.
        stride: of the stem.
        size: rows and columns of an image; the head then sees all positions. None: any size, and their mean.
    """

    def __init__(
        self,
        channels: int = 1,
        widths: Sequence[int] = (32, 64),
        depth: int = 4,
        classes: int = 10,
        stride: int = 1,
        size: int | None = None,
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d(channels, widths[0], 3, stride, padding=1, bias=False)
        self.stem = nn.Sequential(convolution, nn.BatchNorm2d(widths[0]))
        blocks: list[nn.Module] = []
        before = widths[0]
        for stage, width in enumerate(widths):
            for place in range(depth):
                blocks.append(Residual(before, width, 2 if stage and place == 0 else 1))
                before = width
        self.blocks = nn.Sequential(*blocks)
        side = None if size is None else math.ceil(size / (stride * 2 ** (len(widths) - 1)))
        self.whole = side is not None
        self.head = nn.Linear(before * (side or 1) ** 2, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) → (n, classes) logits."""
        maps = self.blocks(self.stem(x))
        logits: Tensor = self.head(maps.flatten(1) if self.whole else maps.mean(dim=(2, 3)))
        return logits


def _shortcut(before: int, after: int, stride: int) -> nn.Sequential:
    pool = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
    return nn.Sequential(pool, nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
