"""Exact graphs that the machine's tests build."""

from __future__ import annotations

from exact_models import Net


def integers(name: str = "integers") -> Net:
    """Every engine of 8-bit tensors: a residual addition of branches of unequal length, depthwise, pools, dilation."""
    net = Net(3, name)
    x = net.quantize(net.input("x", (1, 3, 8, 8)), dtype="int8")
    stem = net.conv(x, 4, pads=(1, 1, 1, 1), lo=0, hi=200)
    deep = net.depthwise(stem, pads=(1, 1, 1, 1), dtype="int8", lo=-100, hi=90)
    joined = net.add(net.conv(stem, 4, (1, 1), precision="wide"), deep)
    one = net.concat(net.conv(joined, 4, (3, 2), dilations=(2, 1)), net.conv(joined, 2, (5, 2), lo=3))
    clipped = net.requantize(net.max_pool(one, (2, 2), strides=(2, 1), pads=(0, 1, 0, 0)), hi=99)
    average = net.average_pool(clipped, (2, 3), strides=(1, 2), pads=(0, 1, 0, 0))
    net.dequantize(net.matmul(net.flatten(average), 5, dtype="int8"))
    return net


def bits(name: str = "bits") -> Net:
    """Binary layers with both paddings and a pool of bits, shift layers of 3 and 4 bits."""
    net = Net(4, name)
    x = net.quantize(net.input("x", (1, 2, 7, 6)))
    first = net.conv(x, 6, pads=(1, 1, 1, 1), bits=1)
    minus = net.binary_conv(first, 6, pads=(1, 1, 1, 1), pad_value=-1, bits=1)
    plus = net.binary_conv(minus, 8, pads=(1, 0, 1, 2), pad_value=1)
    shifted = net.shift_conv(plus, 5, (2, 2), weight_bits=4)
    net.dequantize(net.shift_matmul(net.flatten(shifted), 6, 3, dtype="int8"))
    return net


def pieces(name: str = "pieces") -> Net:
    """What binary networks have beside products: two-piece functions, pools of both signs; results as accumulators."""
    net = Net(21, name)
    x = net.quantize(net.input("x", (1, 3, 6, 6)), dtype="int8")
    first = net.piecewise_linear(net.conv(x, 6, pads=(1, 1, 1, 1), dtype="int8"), dtype="int8", lo=-99)
    pooled = net.binary_max_pool(net.binarize(first), (2, 2), strides=(2, 2))
    both = net.binary_conv(pooled, 5, (2, 2), dtype="int8")
    rows = net.piecewise_linear(net.flatten(both), hi=200)
    net.dequantize(net.matmul(rows, 3, bits=32))
    net.dequantize(net.conv(first, 2, (3, 3), bits=32))
    return net


def tables(name: str = "tables") -> Net:
    """Functions of a value: of the input, behind an engine of many lanes, of a flattened image, of two branches."""
    net = Net(22, name)
    x = net.table(net.quantize(net.input("x", (1, 2, 6, 6)), dtype="int8"), dtype="int8")
    gate = net.table(net.conv(x, 8, pads=(1, 1, 1, 1), dtype="int8"))
    other = net.table(net.depthwise(gate, pads=(1, 1, 1, 1), dtype="int8"), dtype="int8")
    joined = net.table(net.add(gate, other))
    flat = net.table(net.flatten(net.average_pool(joined, (3, 3), strides=(3, 3))), dtype="int8")
    net.dequantize(net.table(net.matmul(flat, 5, dtype="int8"), dtype="int8"))
    return net


def skewed(name: str = "skewed") -> Net:
    """Zero points at both ends of the types and between, in every engine, and padding everywhere."""
    net = Net(31, name)
    x = net.quantize(net.input("x", (1, 3, 7, 6)), zero_point=117)
    stem = net.conv(x, 4, pads=(1, 1, 1, 1), dtype="int8", zero_point=-128)
    deep = net.depthwise(stem, pads=(1, 1, 1, 1), zero_point=255, lo=100)
    mean = net.average_pool(deep, (3, 3), pads=(1, 1, 1, 1), dtype="int8", zero_point=20)
    joined = net.add(mean, net.conv(stem, 4, (1, 1), zero_point=131), zero_point=90)
    shifted = net.shift_conv(joined, 6, strides=(2, 1), pads=(1, 0, 1, 1), dtype="int8", zero_point=-7)
    pooled = net.max_pool(shifted, (2, 2), pads=(0, 1, 0, 0))
    both = net.concat(
        net.requantize(pooled, zero_point=64, lo=64), net.multiply(pooled, factor_shape=(6, 1, 1), zero_point=64)
    )
    curved = net.table(net.piecewise_linear(both, dtype="int8", zero_point=33), zero_point=12)
    bits = net.binary_conv(net.binarize(curved), 5, (2, 2), dtype="int8", zero_point=-90)
    net.dequantize(net.matmul(net.flatten(bits), 5, zero_point=128))
    net.dequantize(net.conv(curved, 3, bits=32))
    return net


def digits(name: str = "digits") -> Net:
    """The shape of examples/digits/net.py: a stem, two residual blocks with a pool and a wide layer between, a head."""
    net = Net(7, name)
    stem = net.conv(net.quantize(net.input("x", (1, 1, 8, 8))), 24, pads=(1, 1, 1, 1))
    pooled = net.max_pool(_block(net, stem), (2, 2), strides=(2, 2))
    wide = net.conv(pooled, 48, pads=(1, 1, 1, 1))
    mean = net.average_pool(_block(net, wide), (4, 4))
    net.dequantize(net.matmul(net.flatten(mean), 10, dtype="int8"))
    return net


def _block(net: Net, x: str) -> str:
    deep = net.depthwise(x, pads=(1, 1, 1, 1))
    return net.add(x, net.conv(deep, net.tensors[x].shape[1], (1, 1), dtype="int8"))


def mixed(name: str = "mixed") -> Net:
    """Groups, factors a channel, bits made of values on the way and of a flattened image, a filter of powers of two."""
    net = Net(11, name)
    x = net.quantize(net.input("x", (1, 4, 6, 5)), dtype="int8")
    grouped = net.conv(x, 6, (3, 3), pads=(1, 1, 1, 1), group=2, dtype="int8")
    scaled = net.multiply(grouped, factor_shape=(6, 1, 1), dtype="int8")
    filtered = net.shift_conv(scaled, 6, (3, 1), group=6, pads=(1, 0, 1, 0))
    both = net.binary_conv(net.binarize(filtered), 4, (2, 2), dtype="int8")
    rows = net.binarize(net.requantize(net.flatten(both), dtype="int8"))
    net.dequantize(net.binary_matmul(rows, 7))
    return net


def sequence(name: str = "sequence") -> Net:
    """A 1-D network: rows of one pixel's height, with strides, dilation and pools."""
    net = Net(12, name)
    x = net.quantize(net.input("x", (1, 2, 1, 40)), dtype="int8")
    first = net.conv(x, 6, (1, 5), strides=(1, 2), pads=(0, 2, 0, 2))
    second = net.conv(first, 8, (1, 3), pads=(0, 2, 0, 2), dilations=(1, 2))
    pooled = net.max_pool(second, (1, 3), strides=(1, 2), pads=(0, 1, 0, 1))
    joined = net.add(pooled, net.conv(pooled, 8, (1, 3), pads=(0, 1, 0, 1), dtype="int8"))
    mean = net.average_pool(joined, (1, 10))
    net.dequantize(net.matmul(net.flatten(mean), 3, dtype="int8"))
    return net


def perceptron(name: str = "perceptron") -> Net:
    """Three dense layers."""
    net = Net(13, name)
    x = net.quantize(net.input("x", (1, 16)), dtype="int8")
    net.dequantize(net.matmul(net.matmul(net.matmul(x, 12), 8), 4, dtype="int8"))
    return net


def residual(name: str = "residual") -> Net:
    """Two blocks, the second of which halves the image on both of its branches."""
    net = Net(14, name)
    x = net.conv(net.quantize(net.input("x", (1, 3, 8, 8)), dtype="int8"), 8, pads=(1, 1, 1, 1))
    one = net.add(x, net.conv(net.conv(x, 8, pads=(1, 1, 1, 1)), 8, pads=(1, 1, 1, 1), dtype="int8"))
    down = net.conv(net.conv(one, 12, strides=(2, 2), pads=(1, 1, 1, 1)), 12, pads=(1, 1, 1, 1), dtype="int8")
    two = net.add(net.conv(one, 12, (1, 1), strides=(2, 2)), down)
    net.dequantize(net.matmul(net.flatten(net.average_pool(two, (4, 4))), 5, dtype="int8"))
    return net


def shifts(name: str = "shifts") -> Net:
    """A network whose every weight is a power of two: convolutions and a head."""
    net = Net(15, name)
    x = net.shift_conv(net.quantize(net.input("x", (1, 1, 8, 8))), 8, pads=(1, 1, 1, 1))
    y = net.shift_conv(net.max_pool(x, (2, 2), strides=(2, 2)), 12, pads=(1, 1, 1, 1))
    net.dequantize(net.shift_matmul(net.flatten(net.average_pool(y, (4, 4))), 6, dtype="int8"))
    return net


def joined(name: str = "joined") -> Net:
    """Shift layers on two branches that are added: a machine without any multiplier."""
    net = Net(16, name)
    x = net.shift_conv(net.quantize(net.input("x", (1, 2, 6, 6))), 6, pads=(1, 1, 1, 1))
    both = net.add(x, net.shift_conv(x, 6, pads=(1, 1, 1, 1), dtype="int8"))
    net.dequantize(net.shift_matmul(net.flatten(both), 4, dtype="int8"))
    return net
