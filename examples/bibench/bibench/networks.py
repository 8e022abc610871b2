"""The networks: a real-valued twin for each kind of data, and its binary copies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from tinsmith.train import binarize
from tinsmith.train.networks import MLP, BiRealResNet, TransformerEncoder
from torch import Tensor, nn

from bibench.data import BY_NAME, SYMBOLS
from bibench.plan import REAL

KEPT = {
    BiRealResNet: ("stem", "head", "blocks.*.shortcut"),
    TransformerEncoder: ("stem", "head", "blocks.*.attention.query", "blocks.*.attention.key"),
}
"""What stays real-valued beside stem and head: shortcuts, and what decides where attention goes."""
FEATURES = {"digits": 64, "breast_cancer": 30, "wine": 13}
"""Numbers in a sample of what an MLP sees."""


class Block(nn.Module):
    """x + norm(conv(act(x))) of a signal, averaged over pairs of moments."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.act = nn.ReLU()
        self.conv = nn.Conv1d(width, width, 5, padding=2, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.pool = nn.AvgPool1d(2)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, moments) → (n, width, moments // 2)."""
        total: Tensor = self.pool(x + self.norm(self.conv(self.act(x))))
        return total


class SignalNet(nn.Module):
    """Residual blocks over a signal of `channels` and `moments`, and a Linear head that sees all that is left."""

    def __init__(self, channels: int, moments: int, classes: int, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(channels, width, 5, padding=2, bias=False), nn.BatchNorm1d(width))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.head = nn.Linear(width * (moments >> depth), classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, moments) → (n, classes) logits."""
        logits: Tensor = self.head(self.blocks(self.stem(x)).flatten(1))
        return logits


ARCHITECTURES: dict[str, Callable[[str, int], nn.Module]] = {
    "cnn": lambda _, classes: BiRealResNet(widths=(16, 32), depth=1, size=8, classes=classes),
    "mlp": lambda data, classes: MLP(FEATURES[data], (64, 64, 64), classes),
    "transformer": lambda _, classes: TransformerEncoder(8, width=64, depth=1, classes=classes),
    "signal": lambda _, classes: SignalNet(1, 64, classes),
    "text": lambda _, classes: SignalNet(len(SYMBOLS), 16, classes),
    "speech": lambda _, classes: BiRealResNet(widths=(32, 48), depth=1, stride=2, classes=classes),
    "garment": lambda _, classes: BiRealResNet(widths=(16, 48), depth=1, stride=2, size=28, classes=classes),
}
"""By name: of a data set and its number of classes."""


def binary_copy(net: nn.Module, method: str) -> nn.Module:
    """`net` itself for the real-valued twin, else its copy of bits."""
    return net if method == REAL else binarize(net, method, KEPT.get(type(net), ("stem", "head")))


def make(arch: str, data: str, method: str, seed: int) -> nn.Module:
    """A network with first weights of `seed`; the same ones for every method."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return binary_copy(ARCHITECTURES[arch](data, BY_NAME[data].classes), method)
