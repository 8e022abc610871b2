"""Operators of bits, shift weights and two pieces: ties, constant channels, paddings, extremes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from exact_models import Net, random_net
from exact_reference import run_reference
from tinsmith.errors import TinsmithError
from tinsmith.ir import exact
from tinsmith.ir.reader import read_exact
from tinsmith.numerics.ranges import accumulator
from tinsmith.verify.oracle import Oracle


def both(net: Net, sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the oracle gives, after comparing it with the reference."""
    got, wanted = Oracle(net.model()).run(sample), run_reference(net.graph(), sample)
    for name, values in got.items():
        np.testing.assert_array_equal(values, wanted[name], err_msg=name, strict=True)
    return got


def change(net: Net, kind: str, **fields: Any) -> exact.Layer:
    """Replace fields of the only layer of a kind."""
    (place,) = (i for i, layer in enumerate(net.layers) if layer.kind == kind)
    net.layers[place] = replace(net.layers[place], **fields)
    return net.layers[place]


def bits_of_sixteen(weight: np.ndarray, limits: list[int]) -> tuple[Net, dict[str, np.ndarray]]:
    """One row of 16 bits, as given, against the same 16 signs in every channel: every accumulator is 16 + bias."""
    net = Net()
    x = net.binarize(net.quantize(net.input("x", (1, 16)), dtype="int8", scale=1.0), axis=1)
    change(net, "Binarize", sign=np.ones(16, np.int8), limit=np.zeros(16, np.int32))
    y = net.binary_matmul(x, len(limits), bits=1)
    bias = np.arange(len(limits), dtype=np.int32)
    signs = np.repeat(weight[:, None], len(limits), axis=1).astype(np.int8)
    ending = exact.Threshold(np.array(limits, np.int32))
    change(net, "BinaryMatMul", weight=signs, bias=bias, ending=ending)
    net.dequantize(net.binary_matmul(y, 3))
    return net, {"x": weight[None].astype(np.float32)}


def test_an_accumulator_at_its_limit_gives_plus_one() -> None:
    weight = np.random.default_rng(0).choice([-1, 1], 16)
    net, sample = bits_of_sixteen(weight, [16, 16, 17, 18, 20, 22])  # the accumulators are 16, 17, 18, 19, 20, 21
    assert both(net, sample)["binary_matmul_2_out"].tolist() == [[1, 1, 1, 1, 1, -1]]


def test_limits_at_the_ends_make_constant_channels() -> None:
    weight = np.ones(16, np.int8)
    net, sample = bits_of_sixteen(weight, [-16, 18])  # accumulators reach -16…16 and -15…17
    for sign in (-1, 1):
        assert both(net, {"x": sign * sample["x"]})["binary_matmul_2_out"].tolist() == [[1, -1]]


def test_zero_is_plus_one() -> None:
    net = Net()
    x = net.binarize(net.quantize(net.input("x", (1, 3)), zero_point=128, scale=1.0))
    change(net, "Binarize", sign=np.array([1, -1, 1], np.int8), limit=np.array([0, 0, 1], np.int32))
    net.dequantize(net.binary_matmul(x, 2))
    assert both(net, {"x": np.zeros((1, 3), np.float32)})[x].tolist() == [[1, 1, -1]]


@pytest.mark.parametrize("pad_value", [-1, 0, 1])
def test_padding_counts_as_its_value(pad_value: int) -> None:
    """A 1×1 image of ones under a kernel of ones: one tap is real, eight are padding."""
    net = Net()
    x = net.binarize(net.quantize(net.input("x", (1, 1, 1, 1)), dtype="int8"))
    change(net, "Binarize", sign=np.ones(1, np.int8), limit=np.zeros(1, np.int32))
    y = net.binary_conv(x, 1, (3, 3), pads=(1, 1, 1, 1), pad_value=pad_value, dtype="int8", precision="power-of-two")
    unit = exact.Requantization(np.full(1, 2, np.int32), 1, 0, -128, 127, wide=False)
    change(net, "BinaryConv", weight=np.ones((1, 1, 3, 3), np.int8), bias=np.zeros(1, np.int32), ending=unit)
    net.dequantize(y)
    assert both(net, {"x": np.ones((1, 1, 1, 1), np.float32)})[y].item() == 1 + 8 * pad_value


def test_a_negative_sign_takes_the_minimum() -> None:
    net = Net()
    x = net.binarize(net.quantize(net.input("x", (1, 2, 2, 2)), dtype="int8", scale=1.0))
    change(net, "Binarize", sign=np.ones(2, np.int8), limit=np.zeros(2, np.int32))
    y = net.binary_max_pool(x, (2, 2))
    change(net, "BinaryMaxPool", sign=np.array([1, -1], np.int8))
    net.dequantize(net.binary_conv(y, 1, (1, 1)))
    one_high = np.full((1, 2, 2, 2), -1, np.float32)
    one_high[:, :, 0, 1] = 1
    assert both(net, {"x": one_high})[y].ravel().tolist() == [1, -1]


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_weights_of_128_are_exact(dtype: str) -> None:
    net = Net(5, extreme=True)
    x = net.quantize(net.input("x", (1, 6, 5, 5)), dtype=dtype, zero_point=3)
    net.dequantize(net.shift_conv(x, 4, pads=(1, 1, 1, 1), weight_bits=4))
    layer = net.layers[-2]
    assert isinstance(layer, exact.ShiftConv) and set(np.unique(layer.weight)) == {-128, 128}
    both(net, net.sample(1, extreme=True))


def test_the_knee_belongs_to_the_upper_piece() -> None:
    net = Net()
    x = net.quantize(net.input("x", (1, 1, 1, 3)), dtype="int8", scale=1.0)
    y = net.piecewise_linear(x, dtype="int8")
    pieces = {"multiplier": np.array([[-2], [6]], np.int32), "offset": np.array([[0], [1]], np.int32)}
    change(net, "PiecewiseLinear", knee=np.array([5], np.int32), shift=1, **pieces)
    net.dequantize(y)
    values = np.array([4, 5, 100], np.float32).reshape(1, 1, 1, 3)
    assert both(net, {"x": values})[y].ravel().tolist() == [-4, 16, 127]  # 15.5 rounds up, 300 saturates


@pytest.mark.parametrize("kind", ["BinaryConv", "BinaryMatMul", "ShiftConv", "ShiftMatMul"])
def test_every_flipped_weight_shows(kind: str) -> None:
    net, shape = Net(9), (1, 3, 4, 4) if kind.endswith("Conv") else (4, 7)
    x = net.quantize(net.input("x", shape), dtype="int8")
    style: dict[str, Any] = {"dtype": "int8", "gain": 0.5}
    match kind:
        case "BinaryConv":
            y = net.binary_conv(net.binarize(x), 2, (2, 2), **style)
        case "BinaryMatMul":
            y = net.binary_matmul(net.binarize(x), 3, **style)
        case "ShiftConv":
            y = net.shift_conv(x, 2, (2, 2), **style)
        case _:
            y = net.shift_matmul(x, 3, **style)
    net.dequantize(y)
    (place,) = (i for i, layer in enumerate(net.layers) if layer.kind == kind)
    bias = np.zeros(net.tensors[y].shape[-1 if len(shape) == 2 else 1], np.int32)
    layer: Any = change(net, kind, bias=bias)
    sample = net.sample(2)
    whole = both(net, sample)[y]
    for index in np.ndindex(layer.weight.shape):
        weight = layer.weight.copy()
        weight[index] *= -1
        net.layers[place] = replace(layer, weight=weight)
        assert (run_reference(net.graph(), sample)[y] != whole).any(), index


def test_a_limit_that_is_one_too_high_shows_where_there_is_a_tie() -> None:
    net = random_net(3, "binary_conv")
    sample = net.sample(0)
    (place,) = (i for i, layer in enumerate(net.layers) if isinstance(getattr(layer, "ending", None), exact.Threshold))
    layer: Any = net.layers[place]
    acc = accumulator(layer, net.tensors)
    assert acc is not None
    whole, shown = run_reference(net.graph(), sample)[layer.output], 0
    for channel in range(layer.weight.shape[0]):
        limit = layer.ending.limit.copy()
        limit[channel] = min(limit[channel] + 1, acc.hi[channel] + 1)
        net.layers[place] = replace(layer, ending=exact.Threshold(limit))
        shown += bool((run_reference(net.graph(), sample)[layer.output] != whole).any())
    assert shown > 0


def damaged(kind: str, op_type: str, index: int, array: Callable[[np.ndarray], np.ndarray]) -> ir.Model:
    model = random_net(4, kind).model()
    node = next(node for node in model.graph if node.op_type == op_type)
    value = node.inputs[index]
    assert value is not None and value.const_value is not None
    value.const_value = ir.tensor(array(value.const_value.numpy()), name=value.name)
    return model


def attribute(kind: str, op_type: str, name: str, number: int) -> ir.Model:
    model = random_net(4, kind).model()
    node = next(node for node in model.graph if node.op_type == op_type)
    node.attributes.add(ir.AttrInt64(name, number))
    return model


def metadata(kind: str, op_type: str, key: str, text: str) -> ir.Model:
    model = random_net(4, kind).model()
    node = next(node for node in model.graph if node.op_type == op_type)
    node.outputs[0].metadata_props[key] = text
    return model


REFUSED: dict[str, tuple[str, Callable[[], ir.Model]]] = {
    "a weight of 0": ("other numbers than -1", lambda: damaged("binary_conv", "BinaryConvThreshold", 1, np.zeros_like)),
    "a sign of 2": ("other numbers than -1", lambda: damaged("binarize", "Binarize", 1, lambda a: 2 * a)),
    "a limit out of reach": ("no accumulator reaches", lambda: damaged("binarize", "Binarize", 2, lambda a: a + 999)),
    "limits of another rank": ("rank", lambda: damaged("binary_conv", "BinaryConvThreshold", 3, lambda a: a[None])),
    "signs for other channels": ("belongs", lambda: damaged("binary_max_pool", "BinaryMaxPool", 1, lambda a: a[:1])),
    "a code too large": ("does not fit", lambda: damaged("shift_conv", "ShiftConv", 1, lambda a: a + 16)),
    "codes of 5 bits": ("none of 2, 3 and 4", lambda: attribute("shift_conv", "ShiftConv", "bits", 5)),
    "padding of 2": ("none of -1, 0 and 1", lambda: attribute("binary_conv", "BinaryConvThreshold", "pad_value", 2)),
    "bits that lie": ("another type, scale or range", lambda: metadata("binarize", "Binarize", "tinsmith.scale", "2")),
    "8 bits of one": ("makes one of 1", lambda: metadata("binarize", "Binarize", "tinsmith.bits", "8")),
    "3 bits": ("it has 3 bits", lambda: metadata("binarize", "Binarize", "tinsmith.bits", "3")),
    "a sum past int32": (
        "past int32",
        lambda: damaged("piecewise_linear", "PiecewiseLinear", 3, lambda a: np.full_like(a, 2**31 - 1)),
    ),
    "a factor that does not broadcast": (
        "does not broadcast",
        lambda: damaged("multiply_constant", "Multiply", 1, lambda a: np.ones((1, 1, 1, 99), np.int8)),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_reader_refuses(name: str) -> None:
    message, make = REFUSED[name]
    with pytest.raises(TinsmithError, match=message) as caught:
        read_exact(make())
    assert all(problem.where and problem.fix for problem in caught.value.problems)
