"""Networks of 1-bit and power-of-two weights for 8×8 digits, to be trained on two cores in a minute or two:

    tinsmith train examples/binary/net.py:reactnet --data digits -o run/
    tinsmith train examples/binary/net.py:fashion_bireal --data fashion_train.npz --valid fashion_test.npz -o run/

Expect more than 95 % of the digits from birealnet, reactnet and shift3 with the 20 epochs that are the default.
"""

from __future__ import annotations

import torch
from tinsmith.train import binarize, shift
from tinsmith.train.networks import MLP, BiRealResNet, ReActMobileNet, TransformerEncoder, VGGSmall
from torch import nn

REAL = ["stem", "head", "blocks.*.shortcut"]
"""What stays real-valued: the layers that see pixels or tell classes apart, and the shortcuts' convolutions."""

Model = tuple[nn.Module, torch.Tensor]


def real() -> Model:
    """The real-valued twin of the binary residual networks below."""
    return BiRealResNet(depth=2), torch.zeros(1, 1, 8, 8)


def bnn() -> Model:
    return _binary("bnn")


def xnor() -> Model:
    return _binary("xnor")


def dorefa() -> Model:
    return _binary("dorefa")


def birealnet() -> Model:
    return _binary("birealnet")


def xnor_plus() -> Model:
    return _binary("xnor++")


def fda() -> Model:
    return _binary("fda")


def recu() -> Model:
    return _binary("recu")


def reactnet() -> Model:
    """ReActNet has a network of its own."""
    net = ReActMobileNet(width=32, strides=(1, 2, 1))
    return binarize(net, "reactnet", skip=["stem", "head"]), torch.zeros(1, 1, 8, 8)


def shift3() -> Model:
    """Weights of ±1, ±2, ±4, ±8 in every layer but the first and last."""
    return shift(BiRealResNet(depth=2), bits=3, skip=["stem", "head"]), torch.zeros(1, 1, 8, 8)


def vgg() -> Model:
    return binarize(VGGSmall(8), "dorefa", skip=["stem", "head"]), torch.zeros(1, 1, 8, 8)


def mlp() -> Model:
    return binarize(MLP(64), "xnor", skip=["stem", "head"]), torch.zeros(1, 1, 8, 8)


def transformer() -> Model:
    """Queries and keys stay real-valued: attention of one bit learns little."""
    skip = ["stem", "head", "blocks.*.attention.query", "blocks.*.attention.key"]
    return binarize(TransformerEncoder(8), "birealnet", skip=skip), torch.zeros(1, 1, 8, 8)


def fashion_bireal() -> Model:
    """For 28×28 images."""
    net = BiRealResNet(widths=(16, 32, 64), depth=2)
    return binarize(net, "birealnet", skip=REAL), torch.zeros(1, 1, 28, 28)


def _binary(method: str) -> Model:
    net = BiRealResNet(widths=(32, 64), depth=2)
    return binarize(net, method, skip=REAL), torch.zeros(1, 1, 8, 8)
