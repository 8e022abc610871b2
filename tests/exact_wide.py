"""Exact graphs of 16-bit tensors for tests: every layer that makes, moves or reads them, beside 8 bits and bits."""

from __future__ import annotations

from typing import Any

from exact_net import LIMITS, Net

WIDE_KINDS = (
    "conv16", "grouped16", "depthwise16", "matmul16", "shift_conv16", "shift_matmul16",
    "threshold16", "accumulator16", "moves16", "chain16",
)  # fmt: skip
"""What `random_wide` can build."""


def random_wide(seed: int, kind: str, *, extreme: bool = False) -> Net:
    """A small net around one kind of layer with an input or an output of 16 bits, of random shape and precision."""
    net = Net(seed, f"{kind}_{seed}", extreme=extreme)
    rng = net.rng
    channels, height, width, outputs = (int(rng.integers(1, n)) for n in (14, 9, 9, 14))
    image = (1, channels, height + 4, width + 4)
    kernel, dilations = (tuple(int(n) for n in rng.integers(1, n, 2)) for n in (4, 3))
    pads = tuple(int(rng.integers(0, kernel[axis % 2])) for axis in range(4))
    strides = tuple(int(n) for n in rng.integers(1, 4, 2))
    window: dict[str, Any] = {"kernel": kernel, "pads": pads, "strides": strides, "dilations": dilations}
    reads, makes = [("int16", "int16"), ("int16", None), (None, "int16")][int(rng.integers(3))]
    style: dict[str, Any] = {**_types(net, makes), "precision": str(rng.choice(["chosen", "wide", "power-of-two"]))}

    def quantized(shape: tuple[int, ...], dtype: str | None = reads, name: str = "x") -> str:
        scale = float(rng.uniform(0.0001, 0.1))
        return net.quantize(net.input(name, shape), **_types(net, dtype), scale=scale)

    match kind:
        case "conv16":
            y = net.conv(quantized(image), outputs, **window, **style)
        case "grouped16":
            y = net.conv(quantized((1, 3 * channels, *image[2:])), 3 * outputs, group=3, **window, **style)
        case "depthwise16":
            y = net.depthwise(quantized(image), **window, **style)
        case "matmul16":
            y = net.matmul(quantized((int(rng.integers(1, 4)), channels * height)), outputs, **style)
        case "shift_conv16":
            y = net.shift_conv(quantized(image), outputs, **window, weight_bits=int(rng.integers(2, 5)), **style)
        case "shift_matmul16":
            y = net.shift_matmul(quantized((1, height, width)), outputs, int(rng.integers(2, 5)), **style)
        case "threshold16":
            bits = net.conv(quantized(image, "int16"), outputs, **window, bits=1)
            y = net.binary_conv(bits, channels, (1, 2), pads=(0, 1, 0, 0), dtype="int8")
        case "accumulator16":
            y = net.conv(quantized(image, "int16"), outputs, **window, bits=32)
        case "moves16":
            joined = net.concat(quantized(image, "int16", "a"), quantized(image, "int16", "b"), axis=seed % 3 + 1)
            turned = net.transpose(joined, (0, *(int(i) + 1 for i in rng.permutation(3))))
            net.dequantize(turned)
            y = net.flatten(turned)
        case "chain16":
            first = net.conv(quantized(image, None), 6, pads=(1, 1, 1, 1), dtype="int16", lo=0)
            second = net.conv(first, 7, strides=(2, 2), pads=(1, 1, 1, 1), dtype="int16")
            rows = net.flatten(net.concat(second, net.conv(first, 7, (1, 1), strides=(2, 2), dtype="int16")))
            net.dequantize(net.matmul(rows, 5, dtype="int16"))
            y = net.matmul(rows, 3)
        case _:
            raise ValueError(f"{kind!r} is none of {WIDE_KINDS}")
    net.dequantize(y)
    return net


def _types(net: Net, dtype: str | None) -> dict[str, Any]:
    """Type and zero point of a tensor; at random with 8 bits where `dtype` is None."""
    if dtype is not None:
        return {"dtype": dtype}
    found = str(net.rng.choice(["uint8", "int8"]))
    lo, hi = LIMITS[found]
    return {"dtype": found, "zero_point": int(net.rng.choice([0, lo, hi, net.rng.integers(lo, hi + 1)]))}
