"""Networks to compress, sized by arguments: each has `stem` and `head`, which are usually left real-valued."""

from __future__ import annotations

from tinsmith.train.networks.bireal_resnet import BiRealResNet
from tinsmith.train.networks.mlp import MLP
from tinsmith.train.networks.reactnet_mobilenet import ReActMobileNet
from tinsmith.train.networks.rprelu import RPReLU
from tinsmith.train.networks.transformer import TransformerEncoder
from tinsmith.train.networks.vgg_small import VGGSmall

__all__ = ["MLP", "BiRealResNet", "RPReLU", "ReActMobileNet", "TransformerEncoder", "VGGSmall"]
