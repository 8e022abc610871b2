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


def sixteen(name: str = "sixteen", *, extreme: bool = False) -> Net:
    """Every layer that reads or makes 16 bits and that every target has: those of one image and one row."""
    net = Net(9, name, extreme=extreme)
    x = net.quantize(net.input("x", (1, 3, 7, 6)), dtype="int16")
    stem = net.conv(x, 4, pads=(1, 1, 1, 1), dtype="int16", precision="wide")
    deep = net.depthwise(stem, pads=(1, 1, 1, 1), dtype="int16", lo=-20000, hi=30000)
    joined = net.concat(stem, deep, net.conv(x, 4, (1, 1), dtype="int16", lo=0))
    narrow = net.conv(joined, 4, strides=(2, 2), pads=(1, 0, 1, 1), precision="power-of-two")
    back = net.conv(narrow, 4, (2, 1), dilations=(1, 2), group=2, dtype="int16")
    shifted = net.shift_conv(back, 3, (1, 2), weight_bits=4, dtype="int16")
    bits = net.conv(shifted, 5, (2, 2), bits=1)
    net.dequantize(net.binary_conv(bits, 3, (1, 1), dtype="int8"))
    rows = net.flatten(shifted)
    net.dequantize(net.matmul(rows, 3, bits=32))
    net.dequantize(net.shift_matmul(net.matmul(rows, 6, dtype="int16"), 4, 3, dtype="int16"))
    net.dequantize(deep)
    return net


def random_chain(seed: int, *, zero_points: bool = True) -> Net:
    """A network of random layers, most of them of 16 bits on one side or both; tensors of 8 may have zero points."""
    net = Net(seed, f"chain_{seed}", extreme=seed % 4 == 3)
    rng = net.rng
    precision: Any = ["chosen", "wide", "power-of-two"][seed % 3]

    def types(dtype: str | None) -> dict[str, Any]:
        return _types(net, dtype) | ({} if zero_points else {"zero_point": 0})

    def numbers() -> dict[str, Any]:
        style = types("int16" if rng.integers(2) else None)
        lo, hi = LIMITS[style["dtype"]]
        clamp = {"lo": int(rng.integers(lo, 1)), "hi": int(rng.integers(1, hi + 1))} if rng.integers(3) == 0 else {}
        return {**style, "precision": precision, **clamp}

    shape = (1, *(int(n) for n in rng.integers((1, 4, 4), (6, 8, 8))))
    y = net.quantize(net.input("x", shape), **types([None, "int16"][seed % 2]))
    for kind in rng.choice(["conv", "grouped", "depthwise", "shift", "join", "output"], 3):
        channels, outputs = net.tensors[y].shape[1], int(rng.integers(1, 6))
        size = tuple(int(n) for n in rng.integers(1, 4, 2))
        window: dict[str, Any] = {"kernel": size, "pads": (size[0] // 2, size[1] // 2, size[0] // 2, size[1] // 2)}
        window["strides"] = tuple(int(rng.integers(1, 3)) if n > 1 else 1 for n in size)  # no pixel is left out
        match kind:
            case "conv":
                y = net.conv(y, outputs, **window, **numbers())
            case "grouped":
                y = net.conv(net.conv(y, 4, (1, 1), **numbers()), 6, group=2, **window, **numbers())
            case "depthwise":
                y = net.depthwise(y, **window, **numbers()) if channels > 1 else y
            case "shift":
                y = net.shift_conv(y, outputs, **window, weight_bits=int(rng.integers(2, 5)), **numbers())
            case "join":
                y = net.concat(net.conv(y, 2, **window, dtype="int16"), net.conv(y, 3, **window, dtype="int16"))
            case "output":
                net.dequantize(y := net.conv(y, outputs, **window, dtype="int16"))
    net.dequantize(net.matmul(net.flatten(y), 3, **numbers(), **({"bits": 32} if seed % 5 == 0 else {})))
    return net
