"""A small transformer encoder over the patches of an image."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

POSITION_DEVIATION = 0.02
"""Standard deviation of the position embedding at first."""


class Attention(nn.Module):
    """Multi-head self-attention whose four products are plain Linear layers, so that they can be compressed."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, tokens, width) → the same shape."""
        query, key, value = (self._split(part(x)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2)
        result: Tensor = self.out(mixed)
        return result

    def _split(self, x: Tensor) -> Tensor:
        """(n, tokens, width) → (n, heads, tokens, width / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, width: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, expansion * width), nn.ReLU(), nn.Linear(expansion * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(n, tokens, width) → the same shape."""
        x = x + self.attention(self.norm1(x))
        total: Tensor = x + self.mlp(self.norm2(x))
        return total


class TransformerEncoder(nn.Module):
    """Patches through a convolution as stem, learned positions, blocks, the mean of all tokens, a Linear head.

    Args:
        size: rows and columns of an image, a multiple of `patch`.
        channels: of an image.
        patch: rows and columns of a patch.
        width: of a token, a multiple of `heads`.
        depth: blocks.
        heads: of the attention.
        classes: outputs.
    """

    def __init__(
        self,
        size: int,
        channels: int = 1,
        patch: int = 2,
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        classes: int = 10,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, patch, stride=patch)
        self.positions = nn.Parameter(torch.randn((size // patch) ** 2, width) * POSITION_DEVIATION)
        self.blocks = nn.Sequential(*(Block(width, heads, expansion=2) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, size, size) → (n, classes) logits."""
        tokens = self.stem(x).flatten(2).transpose(1, 2) + self.positions
        logits: Tensor = self.head(self.norm(self.blocks(tokens)).mean(dim=1))
        return logits
