"""VGG-small: six 3×3 convolutions in three stages."""

from __future__ import annotations

from torch import Tensor, nn


class VGGSmall(nn.Module):
    """Stages of `width`, 2·`width` and 4·`width` channels, two convolutions each, halved by max-pooling; a Linear head.

    Args:
        size: rows and columns of an image, at least 8.
        channels: of an image.
        width: channels of the first stage.
        classes: outputs.
    """

    def __init__(self, size: int, channels: int = 1, width: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.stem = _layer(channels, width, pool=False)
        self.blocks = nn.Sequential(
            _layer(width, width, pool=True),
            _layer(width, 2 * width, pool=False),
            _layer(2 * width, 2 * width, pool=True),
            _layer(2 * width, 4 * width, pool=False),
            _layer(4 * width, 4 * width, pool=True),
        )
        self.head = nn.Linear(4 * width * (size // 8) ** 2, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, size, size) → (n, classes) logits."""
        logits: Tensor = self.head(self.blocks(self.stem(x)).flatten(1))
        return logits


def _layer(before: int, after: int, *, pool: bool) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
    # Pooling the sums and not the activations: after a sign most windows would be +1.
    pooling = [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(convolution, *pooling, nn.BatchNorm2d(after), nn.ReLU())
