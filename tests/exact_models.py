"""Exact graphs for tests: whole ones at random with `random_net` and `random_exact`; `Net` builds others by hand.

model = random_exact(seed=3, kind="conv")            # an onnx_ir model
net = random_net(3, "residual", extreme=True)
graph, model, sample = net.graph(), net.model(), net.sample(0)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from exact_net import LIMITS, Net, Pair, random_sample

__all__ = ["KINDS", "LIMITS", "Net", "random_exact", "random_net", "random_sample"]


def _residual(net: Net, shape: tuple[int, ...], types: dict[str, Any]) -> str:
    x = net.quantize(net.input("x", shape), **types)
    stem = net.conv(x, 8, pads=(1, 1, 1, 1), lo=0)
    left = net.conv(stem, 12, strides=(2, 2), pads=(1, 1, 1, 1), **types)
    right = net.conv(stem, 12, (1, 1), strides=(2, 2), **types)
    joined = net.add(left, right)
    deep = net.depthwise(joined, pads=(1, 1, 1, 1), precision="wide")
    pooled = net.max_pool(net.concat(deep, joined), (2, 2), strides=(1, 1), pads=(0, 1, 1, 0))
    return net.average_pool(pooled, net.tensors[pooled].shape[2:])  # type: ignore[arg-type]


WORDS = (1, 3, 31, 32, 33, 64, 70)
"""Channels of a 1-bit tensor around the sizes of machine words."""


def _binary(net: Net, kind: str, *, image: tuple[int, int], geometry: dict[str, Any], style: dict[str, Any]) -> str:
    """An 8-bit tensor that depends on every bit of a layer with a threshold, or that a layer makes of bits."""
    channels, outputs, pad_value = int(net.rng.choice(WORDS)), int(net.rng.choice(WORDS)), int(net.rng.integers(-1, 2))
    shape = (1, channels, *image)
    x = net.quantize(net.input("x", shape), dtype=style["dtype"], zero_point=style["zero_point"])
    match kind:
        case "shift_threshold":
            bits = net.shift_conv(x, outputs, **geometry, weight_bits=int(net.rng.integers(2, 5)), bits=1)
        case "multiply_threshold":
            bits = net.multiply(x, factor_shape=(1, 1, *image), bits=1)
        case "conv_threshold":
            bits = net.conv(x, outputs, **geometry, bits=1)
        case "matmul_threshold":
            bits = net.matmul(net.reshape(x, (1, shape[1], shape[2] * shape[3])), outputs, bits=1)
        case "binary_conv":
            bits = net.binary_conv(net.binarize(x), outputs, **geometry, pad_value=pad_value, bits=1)
        case "binary_max_pool":
            bits = net.binary_max_pool(net.binarize(x), **geometry)
        case "binary_matmul":
            rows = net.reshape(net.binarize(x), (1, shape[1], shape[2] * shape[3]))
            bits = net.binary_matmul(rows, outputs, bits=1)
        case _:
            bits = net.binarize(x, axis=int(net.rng.integers(1, 4)))
    if len(net.tensors[bits].shape) == 3:
        return net.binary_matmul(bits, outputs + 1, **style)
    return net.binary_conv(bits, outputs + 1, (1, 2), pads=(0, 1, 0, 0), pad_value=-pad_value, **style)


def _binary_net(net: Net, image: tuple[int, int], types: dict[str, Any]) -> str:
    """Bits from layer to layer, beside a stream of 8 bits: pools, joins, moves, both paddings, both products."""
    x = net.quantize(net.input("x", (1, 3, *image)), **types)
    stem = net.conv(x, 9, pads=(1, 1, 1, 1), lo=0)
    bits = net.binarize(stem)
    deep = net.binary_conv(bits, 37, pads=(1, 1, 1, 1), pad_value=-1, bits=1)
    joined = net.concat(net.binary_max_pool(deep, (3, 3), pads=(1, 1, 1, 1)), bits)
    wide = net.binary_conv(joined, 9, (1, 1), dtype="int8")
    scaled = net.multiply(wide, net.absolute_sum(stem), dtype="int8", zero_point=-5)
    stream = net.add(stem, net.piecewise_linear(scaled, dtype="int8"), dtype="int8", zero_point=3)
    shifted = net.shift_conv(stream, 9, strides=(2, 2), weight_bits=4, bits=1, group=3)
    rows = net.flatten(net.transpose(shifted, (0, 2, 3, 1)))
    hidden = net.binary_matmul(rows, 33, bits=1)
    return net.shift_matmul(net.binary_matmul(hidden, 20), 10, weight_bits=2, dtype="int8")


def _geometry(net: Net, kernel: Pair) -> dict[str, Any]:
    pads = tuple(int(net.rng.integers(0, kernel[axis % 2])) for axis in range(4))
    strides = tuple(int(n) for n in net.rng.integers(1, 4, 2))
    return {"strides": strides, "pads": pads}


KINDS = (
    "conv", "depthwise", "grouped", "matmul", "add", "requantize", "average_pool", "max_pool",
    "concat", "reshape_transpose", "softmax", "arg_max", "residual",
    "binarize", "binary_conv", "binary_matmul", "conv_threshold", "matmul_threshold", "binary_max_pool",
    "shift_conv", "shift_grouped", "shift_matmul", "shift_threshold", "piecewise_linear", "multiply",
    "multiply_constant", "multiply_threshold", "absolute_sum", "table", "binary_net", "conv_accumulator",
    "matmul_accumulator",
)  # fmt: skip
"""What `random_exact` can build."""
BINARY = (
    "binarize", "binary_conv", "binary_matmul", "binary_max_pool",
    "conv_threshold", "matmul_threshold", "shift_threshold", "multiply_threshold",
)  # fmt: skip
"""Kinds with a layer that ends in a threshold, or that makes bits of bits."""


def random_net(seed: int, kind: str, *, extreme: bool = False, **keywords: Any) -> Net:
    """A small net around one kind of layer, of random shape, type, zero points and precision, with outputs.

    `keywords` go to the layer where it has a requantization, and override
    what was drawn at random, for example `dtype="int8", zero_point=0, precision="wide"`.
    """
    net = Net(seed, f"{kind}_{seed}", extreme=extreme)
    rng = net.rng
    dtype = str(rng.choice(["uint8", "int8"]))
    lo, hi = LIMITS[dtype]
    types = {"dtype": dtype, "zero_point": int(rng.choice([0, lo, hi, rng.integers(lo, hi + 1)]))}
    style: dict[str, Any] = {**types, "precision": str(rng.choice(["chosen", "wide", "power-of-two"])), **keywords}
    channels, height, width = (int(rng.integers(1, n)) for n in (20, 12, 12))
    image = (1, channels, height + 5, width + 5)
    kernel, dilations = (tuple(int(n) for n in rng.integers(1, n, 2)) for n in (4, 3))
    geometry = _geometry(net, kernel)  # type: ignore[arg-type]
    dilated = {**_geometry(net, kernel), "dilations": dilations}  # type: ignore[arg-type]
    outputs = int(rng.integers(1, 20))

    def quantized(name: str, shape: tuple[int, ...]) -> str:
        return net.quantize(net.input(name, shape), **types, scale=float(rng.uniform(0.01, 0.1)))

    match kind:
        case "conv":
            y = net.conv(quantized("x", image), outputs, kernel, **dilated, **style)  # type: ignore[arg-type]
        case "depthwise":
            y = net.depthwise(quantized("x", image), kernel, **dilated, **style)  # type: ignore[arg-type]
        case "grouped":
            x = quantized("x", (1, 2 * channels, *image[2:]))
            y = net.conv(x, 2 * outputs, kernel, group=2, **dilated, **style)  # type: ignore[arg-type]
        case "matmul":
            rows = int(rng.integers(1, 4))
            y = net.matmul(quantized("x", (rows, channels * height)), outputs, **style)
        case "add":
            ratios = tuple(float(r) for r in np.exp(rng.uniform(-4, 4, 2)))
            y = net.add(quantized("a", image), quantized("b", image), ratios=ratios, **types)  # type: ignore[arg-type]
        case "conv_accumulator":
            group = int(rng.integers(1, 3))
            x = quantized("x", (1, group * channels, *image[2:]))
            y = net.conv(x, group * outputs, kernel, **dilated, group=group, bits=32)  # type: ignore[arg-type]
            y = net.flatten(y) if seed % 2 else y
        case "matmul_accumulator":
            y = net.matmul(quantized("x", (int(rng.integers(1, 4)), channels * height)), outputs, bits=32)
        case "requantize":
            y = net.requantize(quantized("x", image), **style)
        case "average_pool":
            y = net.average_pool(quantized("x", image), kernel, **geometry, **style)  # type: ignore[arg-type]
        case "max_pool":
            y = net.max_pool(quantized("x", image), kernel, **dilated)  # type: ignore[arg-type]
        case "concat":
            axis = int(rng.integers(1, 4))
            longer = tuple(n + (i == axis) for i, n in enumerate(image))
            y = net.concat(quantized("a", image), quantized("b", longer), axis=axis)
        case "reshape_transpose":
            perm = (0, *(int(i) + 1 for i in rng.permutation(3)))
            y = net.flatten(net.transpose(quantized("x", image), perm))
        case _ if kind in BINARY:
            y = _binary(net, kind, image=image[2:], geometry={**dilated, "kernel": kernel}, style=style)  # type: ignore[arg-type]
        case "binary_net":
            net.softmax(_binary_net(net, image[2:], types))  # type: ignore[arg-type]
            return net
        case "shift_conv":
            wide = int(rng.integers(2, 5))
            y = net.shift_conv(quantized("x", image), outputs, kernel, **dilated, weight_bits=wide, **style)  # type: ignore[arg-type]
        case "shift_grouped":
            wide, group = int(rng.integers(2, 5)), int(rng.choice([2, channels + 1]))
            x = quantized("x", (1, channels + 1 if group > 2 else 2 * channels, *image[2:]))
            y = net.shift_conv(x, group * 2, kernel, **dilated, weight_bits=wide, group=group, **style)  # type: ignore[arg-type]
        case "shift_matmul":
            wide = int(rng.integers(2, 5))
            y = net.shift_matmul(quantized("x", (1, height, width)), outputs, wide, **style)
        case "piecewise_linear":
            y = net.piecewise_linear(quantized("x", image), int(rng.integers(1, 4)), **types)
        case "multiply":
            smaller = tuple(n if rng.integers(0, 2) else 1 for n in image)
            y = net.multiply(quantized("a", image), quantized("b", smaller), **style)
        case "multiply_constant":
            smaller = tuple(n if rng.integers(0, 2) else 1 for n in image[int(rng.integers(0, 4)) :])
            y = net.multiply(quantized("x", image), factor_shape=smaller, axis=int(rng.integers(1, 4)), **style)
        case "table":
            x = (
                quantized("x", image)
                if seed % 2
                else net.conv(quantized("x", image), outputs, kernel, **dilated, **style)
            )  # type: ignore[arg-type]
            y = net.table(net.table(x, **types), dtype=str(rng.choice(["uint8", "int8"])))
        case "absolute_sum":
            axes = [(1, 2, 3), (2, 3), (1,), (3,)][int(rng.integers(0, 4))]
            y = net.absolute_sum(quantized("x", image), axes, **style)
        case "softmax":
            net.softmax(quantized("x", (1, channels + outputs)))
            return net
        case "arg_max":
            net.arg_max(quantized("x", (1, channels + outputs)), keepdims=bool(seed % 2))
            return net
        case "residual":
            y = net.matmul(net.flatten(_residual(net, image, types)), 10, dtype="int8")
            net.softmax(y)
        case _:
            raise ValueError(f"{kind!r} is none of {KINDS}")
    net.dequantize(y)
    return net


def random_exact(seed: int, kind: str = "residual", *, extreme: bool = False, **keywords: Any) -> ir.Model:
    """The ONNX model of `random_net`."""
    return random_net(seed, kind, extreme=extreme, **keywords).model()
