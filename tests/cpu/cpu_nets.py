"""Nets that the tests of the CPU backend share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
from exact_models import Net
from tinsmith.backend import Build
from tinsmith.ir.exact import ExactGraph
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.cpu.backend import BACKEND

Sample = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Built:
    """A build folder, what it was built from, and samples with the oracle's tensors."""

    folder: Path
    build: Build
    graph: ExactGraph
    target: str
    samples: list[Sample]
    expected: list[Sample]


@contextlib.contextmanager
def silent(name: str) -> Iterator[None]:
    """A step that announces nothing."""
    yield


def build(net: Net, target: str, folder: Path) -> Build:
    """Build into the new folder `folder`."""
    folder.mkdir(parents=True)
    return BACKEND.build(net.graph(), target, folder, silent)


def answered(net: Net, target: str, folder: Path) -> Built:
    """A build in the new folder `folder`, with four samples, two of them extreme, and the oracle's answers."""
    samples: list[Sample] = [{**net.sample(i, extreme=i < 2)} for i in range(4)]
    oracle = Oracle(net.model())
    numbers = build(net, target, folder)
    return Built(folder, numbers, net.graph(), target, samples, [dict(oracle.run(sample)) for sample in samples])


def everything(name: str = "everything") -> Net:
    """One net with every operator, two inputs, four outputs, asymmetric zero points, and movements in odd orders."""
    net = Net(7, name)
    x = net.quantize(net.input("x", (1, 3, 11, 9)), zero_point=131)
    stem = net.conv(x, 16, strides=(2, 1), pads=(1, 1, 1, 1), lo=0)
    left = net.conv(stem, 16, pads=(1, 1, 1, 1), zero_point=99, precision="wide")
    joined = net.add(stem, left, dtype="int8")
    deep = net.depthwise(joined, pads=(1, 1, 1, 1), dilations=(1, 1), dtype="int8")
    clipped = net.requantize(joined, dtype="int8", lo=-20, hi=90)
    grouped = net.conv(net.concat(deep, clipped), 12, (3, 2), dilations=(2, 1), group=4, dtype="int8")
    pooled = net.max_pool(grouped, (2, 2), strides=(2, 1), pads=(0, 1, 0, 0))
    average = net.average_pool(grouped, (2, 3), strides=(1, 2), pads=(0, 1, 1, 0), zero_point=-5, dtype="int8")
    _, c, h, w = net.tensors[average].shape
    turned = net.reshape(net.transpose(average, (0, 2, 1, 3)), (1, h, c * w))
    rows = net.matmul(net.transpose(turned, (0, 2, 1)), 5, dtype="int8")
    flat = net.flatten(pooled)
    second = net.quantize(net.input("a", (1, 6)), dtype="int8", scale=0.03)
    features = net.concat(net.matmul(flat, 7, dtype="int8"), net.matmul(second, 4, dtype="int8"))
    logits = net.matmul(features, 10, dtype="int8")
    net.dequantize(rows)
    net.dequantize(pooled)
    net.softmax(logits)
    net.arg_max(logits)
    return net


def binary(name: str = "binary") -> Net:
    """Bits wherever they may stand: every operator with a threshold, movements of bits by word and one by one."""
    net = Net(11, name)
    x = net.quantize(net.input("x", (1, 3, 12, 10)), dtype="int8")
    stem = net.conv(x, 40, pads=(1, 1, 1, 1), bits=1)
    deep = net.depthwise(x, pads=(1, 1, 1, 1), bits=1)
    left = net.binary_conv(stem, 33, pads=(1, 1, 1, 1), pad_value=0, bits=1)
    right = net.binary_conv(net.concat(stem, deep), 64, (2, 3), pads=(1, 1, 0, 1), pad_value=-1, bits=1)
    pooled = net.binary_max_pool(right, (2, 2), strides=(2, 2))
    real = net.binary_conv(pooled, 24, (1, 1), dtype="int8")
    scale = net.absolute_sum(real, (1,))
    scaled = net.multiply(net.piecewise_linear(real, dtype="int8"), scale, bits=1)
    products = net.multiply(real, factor_shape=(1, 1, 6, 5), dtype="int8")
    shifted = net.shift_conv(net.add(products, real), 32, pads=(1, 1, 1, 1), bits=1)
    joined = net.concat(net.concat(shifted, pooled), net.binarize(products))
    turned = net.transpose(net.concat(scaled, joined, axis=1), (0, 2, 3, 1))
    flat = net.binary_matmul(net.flatten(joined), 65, bits=1)
    rows = net.binary_matmul(net.reshape(left, (1, 11 * 10, 36)), 10, dtype="int8")
    net.dequantize(net.shift_matmul(net.binary_matmul(turned, 10, dtype="int8"), 7, weight_bits=4))
    net.dequantize(flat)
    net.dequantize(net.binary_matmul(flat, 9, dtype="int8"))
    net.dequantize(rows)
    net.dequantize(net.max_pool(scaled, (2, 2)))
    return net
