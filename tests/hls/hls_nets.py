"""Exact graphs that the HLS tests build."""

from __future__ import annotations

from exact_models import Net


def integers(name: str = "integers", *, apart: bool = False) -> Net:
    """Every operator of 8-bit tensors that the flows take: residual, depthwise, dilated, clipped on both sides.

    The windows of its pool overlap, unless they stand `apart`.
    """
    net = Net(3, name)
    x = net.quantize(net.input("x", (1, 3, 8, 8)), dtype="int8")
    stem = net.conv(x, 4, pads=(1, 1, 1, 1), lo=0, hi=200)
    deep = net.depthwise(stem, pads=(1, 1, 1, 1), dtype="int8", lo=-100, hi=90)
    joined = net.add(net.conv(stem, 4, (1, 1), precision="wide"), deep)
    both = net.concat(net.conv(joined, 4, (3, 2), dilations=(2, 1), group=2), net.conv(joined, 2, (5, 2), lo=3))
    clipped = net.requantize(net.max_pool(both, (2, 2), strides=(2, 2 if apart else 1), pads=(0, 1, 0, 0)), hi=99)
    average = net.average_pool(clipped, (2, 3), strides=(1, 2), pads=(0, 1, 0, 0))
    net.dequantize(net.matmul(net.flatten(average), 5, dtype="int8"))
    net.dequantize(joined)
    return net


def bits(name: str = "bits") -> Net:
    """Binary and shift layers: each padding, thresholds, a pool with channels turned, weights of 2, 3 and 4 bits."""
    net = Net(4, name)
    x = net.quantize(net.input("x", (1, 2, 7, 6)))
    first = net.conv(x, 5, pads=(1, 1, 1, 1), bits=1)
    minus = net.binary_conv(first, 6, pads=(1, 1, 1, 1), pad_value=-1, bits=1)
    plus = net.binary_conv(minus, 7, pads=(1, 0, 1, 2), pad_value=1, bits=1)
    pooled = net.binary_max_pool(plus, (2, 2), strides=(2, 2), pads=(0, 0, 0, 0))
    zero = net.binary_conv(pooled, 4, pads=(1, 1, 1, 1), pad_value=0)
    shifted = net.shift_conv(zero, 5, (2, 2), weight_bits=4)
    again = net.binarize(shifted)
    rows = net.binary_matmul(net.flatten(again), 9)
    net.dequantize(net.shift_matmul(net.shift_matmul(rows, 6, 2), 5, 3, dtype="int8"))
    return net


def vectors(name: str = "vectors") -> Net:
    """Flattened images whose elements have limits of their own, or limits of their channels, and two outputs."""
    net = Net(6, name)
    flat = net.flatten(net.conv(net.quantize(net.input("x", (1, 3, 4, 5)), dtype="int8"), 4, pads=(1, 1, 1, 1)))
    net.dequantize(net.binary_matmul(net.binary_matmul(net.binarize(flat), 9, bits=1), 5))
    net.dequantize(net.requantize(flat, hi=99))
    return net


def tables(name: str = "tables") -> Net:
    """Functions of a value: of inputs with a sign and without, narrow and wide, of images and of a flattened one."""
    net = Net(5, name)
    x = net.table(net.quantize(net.input("x", (1, 3, 6, 5)), dtype="int8"), dtype="int8")
    gate = net.table(net.conv(x, 4, pads=(1, 1, 1, 1), lo=0, hi=60))
    other = net.table(net.conv(gate, 4, (1, 1), dtype="int8", lo=-20, hi=10), dtype="int8")
    pooled = net.max_pool(net.table(net.add(gate, other)), (2, 2), strides=(2, 2))
    flat = net.table(net.flatten(pooled), dtype="int8")
    net.dequantize(net.table(net.matmul(flat, 5, dtype="int8"), dtype="int8"))
    return net


def skewed(name: str = "skewed", *, curved: bool = False) -> Net:
    """Zero points at both ends of the types and between, in every operator, and padding; with tables where `curved`."""
    net = Net(31, name)
    x = net.quantize(net.input("x", (1, 3, 6, 6)), zero_point=117)
    stem = net.conv(x, 4, pads=(1, 1, 1, 1), dtype="int8", zero_point=-128)
    deep = net.depthwise(stem, pads=(1, 1, 1, 1), zero_point=255, lo=100)
    mean = net.average_pool(deep, (3, 3), pads=(1, 1, 1, 1), dtype="int8", zero_point=20)
    joined = net.add(mean, net.conv(stem, 4, (1, 1), zero_point=131, precision="wide"), zero_point=90)
    product = net.multiply(joined, net.requantize(mean, zero_point=64, lo=64), dtype="int8", zero_point=-3)
    shifted = net.shift_conv(net.concat(product, net.conv(joined, 4, (1, 1), dtype="int8", zero_point=-3)), 5, (3, 3))
    pooled = net.max_pool(net.requantize(shifted, zero_point=12, precision="power-of-two"), (2, 2), strides=(2, 2))
    bent = net.piecewise_linear(net.table(pooled, zero_point=77) if curved else pooled, dtype="int8", zero_point=33)
    bits = net.binary_conv(net.binarize(bent), 5, (2, 2), dtype="int8", zero_point=-90)
    net.dequantize(net.matmul(net.flatten(bits), 5, zero_point=128))
    net.dequantize(net.conv(bent, 3, (2, 2), bits=32))
    return net


def scaled(name: str = "scaled") -> Net:
    """Two straight pieces, of an image and of a flattened one; products by a tensor and by constants; accumulators."""
    net = Net(7, name)
    x = net.quantize(net.input("x", (1, 3, 4, 5)), dtype="int8")
    bent = net.piecewise_linear(x, dtype="int8")
    product = net.multiply(bent, net.conv(x, 3, (1, 1)), dtype="int8")
    scaled = net.multiply(product, factor_shape=(1, 3, 1, 1), dtype="int8", lo=-70, hi=90)
    rows = net.piecewise_linear(net.flatten(net.add(scaled, bent)), lo=3, hi=200)
    bits = net.multiply(rows, factor_shape=(1,), bits=1)
    net.dequantize(net.binary_matmul(bits, 4, dtype="int8"))
    net.dequantize(net.matmul(rows, 5, bits=32))
    return net
