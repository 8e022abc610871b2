"""Networks of 1-bit and power-of-two weights, to be trained on one core in seconds or a minute:

    tinsmith train examples/binary/net.py:reactnet --data digits -o run/
    tinsmith train examples/binary/net.py:fashion_recu --data train.npz --valid test.npz --epochs 3 -o run/

Expect more than 95 % of the digits from birealnet, reactnet and shift3 with the 20 epochs that are the default.
docs/training.md has a table of all of them, which tests/bench/training_accuracy.py makes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from tinsmith.train import binarize, shift
from tinsmith.train.networks import MLP, BiRealResNet, ReActMobileNet, TransformerEncoder, VGGSmall
from torch import nn

REAL = ["stem", "head", "blocks.*.shortcut"]
"""What stays real-valued: the layers that see pixels or tell classes apart, and the shortcuts' convolutions."""
DIGIT = torch.zeros(1, 1, 8, 8)
GARMENT = torch.zeros(1, 1, 28, 28)

Model = tuple[nn.Module, torch.Tensor]


def real() -> Model:
    """The real-valued twin of the networks of all methods, for digits."""
    return BiRealResNet(widths=(16, 32), depth=1, size=8), DIGIT


def fashion_real() -> Model:
    """The real-valued twin of the networks of all methods, for Fashion-MNIST."""
    return BiRealResNet(widths=(16, 48), depth=1, stride=2, size=28), GARMENT


def linear() -> Model:
    """`real` without its blocks: what stem and head reach alone."""
    return BiRealResNet(widths=(32,), depth=0, stride=2, size=8), DIGIT


def fashion_linear() -> Model:
    """`fashion_real` without its blocks."""
    return BiRealResNet(widths=(48,), depth=0, stride=4, size=28), GARMENT


def _binary(twin: Callable[[], Model], method: str) -> Model:
    net, image = twin()
    return binarize(net, method, skip=REAL), image


def _shift(twin: Callable[[], Model], bits: int) -> Model:
    """Weights of ±1, ±2 … ±2^(2^(bits-1)-1) in every layer but the first and last."""
    net, image = twin()
    return shift(net, bits, skip=["stem", "head"]), image


bnn = partial(_binary, real, "bnn")
xnor = partial(_binary, real, "xnor")
dorefa = partial(_binary, real, "dorefa")
birealnet = partial(_binary, real, "birealnet")
xnor_plus = partial(_binary, real, "xnor++")
reactnet = partial(_binary, real, "reactnet")
fda = partial(_binary, real, "fda")
recu = partial(_binary, real, "recu")
shift2 = partial(_shift, real, 2)
shift3 = partial(_shift, real, 3)
shift4 = partial(_shift, real, 4)

fashion_bnn = partial(_binary, fashion_real, "bnn")
fashion_xnor = partial(_binary, fashion_real, "xnor")
fashion_dorefa = partial(_binary, fashion_real, "dorefa")
fashion_birealnet = partial(_binary, fashion_real, "birealnet")
fashion_xnor_plus = partial(_binary, fashion_real, "xnor++")
fashion_reactnet = partial(_binary, fashion_real, "reactnet")
fashion_fda = partial(_binary, fashion_real, "fda")
fashion_recu = partial(_binary, fashion_real, "recu")
fashion_shift2 = partial(_shift, fashion_real, 2)
fashion_shift3 = partial(_shift, fashion_real, 3)
fashion_shift4 = partial(_shift, fashion_real, 4)


def reactnet_mobile() -> Model:
    """ReActNet's own network, with RPReLU and MobileNet's blocks."""
    net = ReActMobileNet(width=32, strides=(1, 2, 1))
    return binarize(net, "reactnet", skip=["stem", "head"]), DIGIT


def vgg() -> Model:
    return binarize(VGGSmall(8), "dorefa", skip=["stem", "head"]), DIGIT


def mlp() -> Model:
    return binarize(MLP(64), "xnor", skip=["stem", "head"]), DIGIT


def transformer() -> Model:
    """Queries and keys stay real-valued: attention of one bit learns little."""
    skip = ["stem", "head", "blocks.*.attention.query", "blocks.*.attention.key"]
    return binarize(TransformerEncoder(8), "birealnet", skip=skip), DIGIT
