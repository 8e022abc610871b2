"""A multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class MLP(nn.Module):
    """Linear, batch normalization, ReLU for every hidden layer; a Linear head.

    Args:
        inputs: numbers in a sample, of any shape.
        hidden: widths of the hidden layers; the first belongs to the stem.
        classes: outputs.
    """

    def __init__(self, inputs: int, hidden: Sequence[int] = (256, 256, 256), classes: int = 10) -> None:
        super().__init__()
        self.stem = _layer(inputs, hidden[0])
        pairs = pairwise(hidden)
        self.blocks = nn.Sequential(*(_layer(before, after) for before, after in pairs))
        self.head = nn.Linear(hidden[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, …) → (n, classes) logits."""
        logits: Tensor = self.head(self.blocks(self.stem(x.flatten(1))))
        return logits


def _layer(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU())
