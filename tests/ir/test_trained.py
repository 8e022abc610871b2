"""The trained operators: what their function bodies compute in stock onnxruntime, against plain numpy."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.shape_inference
import onnx_ir as ir
import pytest
from float_models import run, sample
from tinsmith.ir.codes import decode, encode
from tinsmith.ir.trained import OPERATORS, is_trained, read_layer
from tinsmith.ir.trained.node import sizes
from trained_net import TrainedNet

Array = npt.NDArray[Any]
CASES = range(12)


def windows(x: Array, kernel: tuple[int, ...], node: ir.Node) -> Array:
    """(positions, channels · kernel) of a padded (channels, *space) input, and the shape of the positions."""
    strides, dilations = (tuple(node.attributes[name].as_ints()) for name in ("strides", "dilations"))
    counts = [
        (size - d * (k - 1) - 1) // s + 1 for size, k, s, d in zip(x.shape[1:], kernel, strides, dilations, strict=True)
    ]
    rows = []
    for place in product(*map(range, counts)):
        cut = tuple(
            slice(p * s, p * s + d * (k - 1) + 1, d)
            for p, s, d, k in zip(place, strides, dilations, kernel, strict=True)
        )
        rows.append(x[(slice(None), *cut)].ravel())
    return np.array(rows).reshape(*counts, -1)


def convolution(node: ir.Node, x: Array) -> Array:
    """What a BinaryConv or ShiftConv means, in float64."""
    layer = read_layer(node)
    out, inner, *kernel = layer.weight.shape
    group = node.attributes["group"].as_int() if "group" in node.attributes else 1
    pad_value = node.attributes["pad_value"].as_int() if "pad_value" in node.attributes else 0
    pads = node.attributes["pads"].as_ints()
    around = [(0, 0), *zip(pads[: len(kernel)], pads[len(kernel) :], strict=True)]
    padded = np.pad(x[0].astype(np.float64), around, constant_values=pad_value)
    sums = []
    for o in range(out):
        first = o // (out // group) * inner
        rows = windows(padded[first : first + inner], tuple(kernel), node)
        sums.append((rows @ layer.weight[o].ravel().astype(np.float64)) * layer.scale[o] + layer.bias[o])
    return np.array(sums)[None]


def check(net: TrainedNet, y: ir.Value) -> tuple[Array, Array, ir.Node]:
    """Run the net in onnxruntime: the input of the last node, its output, and the node."""
    node = y.producer()
    assert node is not None
    before = node.inputs[0]
    assert before is not None
    net.output(before)
    net.output(y)
    proto = ir.to_proto(net.model())
    onnx.checker.check_model(proto)
    x, got = run(proto, sample(proto))
    assert got.shape == tuple(y.shape.numpy()), "the shape that the builder computed"
    return x, got, node


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["binary", "shift"])
def test_convolutions_are_what_numpy_computes(kind: str, case: int) -> None:
    net = TrainedNet(case)
    axes = 1 if case % 3 == 2 else 2
    draw = net.rng.integers
    kernel = tuple(int(k) for k in draw(1, 4, axes))
    window = {
        "strides": tuple(int(v) for v in draw(1, 3, axes)),
        "dilations": tuple(int(v) for v in draw(1, 3, axes)),
        "pads": tuple(int(v) for v in draw(0, 3, 2 * axes)),
    }
    group = int(draw(1, 3)) if kind == "shift" else 1
    x = net.input("x", (1, group * int(draw(1, 5)), *(int(n) for n in draw(5, 9, axes))))
    if kind == "binary":
        y = net.binary_conv(net.binarize(x), int(draw(1, 6)), kernel, pad_value=case % 3 - 1, **window)
    else:
        y = net.shift_conv(x, group * int(draw(1, 4)), kernel, bits=2 + case % 3, group=group, **window)
    x_value, got, node = check(net, y)
    np.testing.assert_allclose(got, convolution(node, x_value), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("case", range(6))
def test_matrix_products_are_what_numpy_computes(case: int) -> None:
    net = TrainedNet(case)
    shape = (1, 7) if case % 2 else (1, 3, 7)
    x = net.input("x", shape)
    y = net.binary_gemm(net.binarize(x), 5) if case < 3 else net.shift_gemm(x, 5, bits=case - 1)
    x_value, got, node = check(net, y)
    layer = read_layer(node)
    wanted = (x_value.astype(np.float64) @ layer.weight) * layer.scale + layer.bias
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-4)


def test_a_binary_sum_has_no_rounding() -> None:
    net = TrainedNet()
    y = net.binary_conv(net.binarize(net.input("x", (1, 33, 5, 5))), 4, pads=(1, 1, 1, 1), pad_value=0)
    node = y.producer()
    assert node is not None
    ones, zeros = np.ones(4, np.float32), np.zeros(4, np.float32)
    node.replace_input_with(2, net.constant(ones))
    node.replace_input_with(3, net.constant(zeros))
    x, got, _ = check(net, y)
    np.testing.assert_array_equal(got, convolution(node, x))


def test_a_tie_is_plus_one() -> None:
    net = TrainedNet()
    x = net.input("x", (1, 3, 1, 1))
    threshold = np.array([0.0, 0.5, -0.5], np.float32).reshape(1, 3, 1, 1)
    net.output(net.binarize(x, threshold))
    proto = ir.to_proto(net.model())
    (got,) = run(proto, {"x": threshold})
    np.testing.assert_array_equal(got, np.ones((1, 3, 1, 1), np.float32))
    (got,) = run(proto, {"x": np.nextafter(threshold, np.float32(-1))})
    np.testing.assert_array_equal(got, -np.ones((1, 3, 1, 1), np.float32))


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_every_code_stands_for_one_weight(bits: int) -> None:
    codes = np.arange(2**bits, dtype=np.uint8)
    weights = decode(codes, bits)
    assert sorted(weights) == sorted([s * 2**k for k in range(2 ** (bits - 1)) for s in (1, -1)])
    np.testing.assert_array_equal(encode(weights, bits), codes)


@pytest.mark.parametrize("weight", [0, 3, 16, -16])
def test_a_weight_without_a_code_is_refused(weight: int) -> None:
    with pytest.raises(ValueError, match="not ±2"):
        encode(np.array([1, weight]), 3)


def test_onnx_infers_the_shapes_through_the_bodies() -> None:
    net = TrainedNet()
    x = net.binarize(net.input("x", (1, 3, 8, 9)))
    y = net.shift_conv(net.binary_conv(x, 5, strides=(2, 1)), 4, (1, 1))
    net.output(net.shift_gemm(net.binary_gemm(net.reshape(net.binarize(y), 1, 4 * 3 * 7), 6), 2))
    proto = ir.to_proto(net.model())
    expected = [sizes(y) for node in net.nodes for y in node.outputs]
    del proto.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)
    infos = {v.name: v for v in (*inferred.graph.value_info, *inferred.graph.output)}
    found = [infos[y.name] for node in net.nodes for y in node.outputs]
    assert [tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in found] == expected
    assert {node.op_type for node in net.nodes if is_trained(node)} == set(OPERATORS)
