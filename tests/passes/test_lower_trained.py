"""From trained layers to the exact graph: every ending, sign and shape, layer by layer against the float model."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from exact_check import check_layers
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize
from tinsmith.ir import exact
from tinsmith.ir.codes import encode
from tinsmith.ir.exact import Threshold
from tinsmith.ir.reader import read_exact
from tinsmith.ir.trained.binary_gemm import binary_gemm
from tinsmith.ir.trained.shift_gemm import shift_gemm
from tinsmith.ir.warnings import warnings_of
from tinsmith.numerics.float_run import FloatRun
from tinsmith.passes.lower_exact import lower
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import parse_recipe
from tinsmith.verify.oracle import Oracle
from trained_net import TrainedNet

Array = np.ndarray[Any, Any]
SHAPE = (1, 3, 7, 6)


def float32(*values: float) -> Array:
    return np.array(values, np.float32)


def feeds(shape: tuple[int, ...] = SHAPE, count: int = 8) -> dict[str, Array]:
    return {"x": np.random.default_rng(1).normal(0.1, 1, (count, *shape)).astype(np.float32)}


def lowered(net: TrainedNet, samples: dict[str, Array] | None = None) -> tuple[ir.Model, ir.Model]:
    """The QDQ model and its exact form."""
    samples = feeds() if samples is None else samples
    model = canonicalize(net.model())
    quantize(model, samples)
    qdq = model.clone()
    lower(model)
    return qdq, model


def checked(net: TrainedNet, samples: dict[str, Array] | None = None, rounding: float = 0.56) -> exact.ExactGraph:
    """The exact graph of `net`, each of its layers compared with float on three samples."""
    samples = feeds() if samples is None else samples
    qdq, model = lowered(net, samples)
    for index in range(3):
        check_layers(qdq, model, {"x": samples["x"][index]}, rounding)
    return read_exact(model)


def kinds(graph: exact.ExactGraph) -> list[str]:
    return [layer.kind for layer in graph.layers]


def only(graph: exact.ExactGraph, kind: str) -> Any:
    (layer,) = (layer for layer in graph.layers if layer.kind == kind)
    return layer


def image(net: TrainedNet, shape: tuple[int, ...] = SHAPE) -> ir.Value:
    return net.input("x", shape)


Build = Callable[[TrainedNet, ir.Value], ir.Value]
CONVOLUTIONS: dict[str, tuple[str, Build]] = {
    "conv": ("Conv", lambda net, x: net.conv(x, 5, pads=(1, 1, 1, 1))),
    "depthwise": ("Conv", lambda net, x: net.conv(x, 6, group=3)),
    "plus": ("BinaryConv", lambda net, x: net.binary_conv(net.binarize(x), 5, pads=(1, 0, 2, 1))),
    "minus": ("BinaryConv", lambda net, x: net.binary_conv(net.binarize(x), 5, pads=(1, 1, 1, 1), pad_value=-1)),
    "zero": (
        "BinaryConv",
        lambda net, x: net.binary_conv(
            net.binarize(x), 9, pads=(2, 1, 2, 1), pad_value=0, strides=(2, 1), dilations=(2, 1)
        ),
    ),
    "shift2": ("ShiftConv", lambda net, x: net.shift_conv(x, 5, bits=2, pads=(1, 1, 1, 1))),
    "shift3": ("ShiftConv", lambda net, x: net.shift_conv(x, 6, bits=3, group=3, strides=(2, 2))),
    "shift4": ("ShiftConv", lambda net, x: net.shift_conv(x, 5, (1, 1), bits=4)),
}


@pytest.mark.parametrize("ending", ["8bit", "relu", "bits"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_every_convolution_with_every_ending(name: str, ending: str) -> None:
    net = TrainedNet(len(name))
    kind, build = CONVOLUTIONS[name]
    y = build(net, image(net))
    if ending == "bits":
        y = net.binary_conv(net.binarize(y), 3, (1, 1))
    net.output(net.relu(y) if ending == "relu" else y)
    graph = checked(net)
    found = next(layer for layer in graph.layers if layer.kind == kind)
    assert graph.tensors[found.output].bits == (1 if ending == "bits" else 8)
    if ending == "relu":
        assert found.ending.lo == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("ending", ["8bit", "bits"])
@pytest.mark.parametrize("kind", ["MatMul", "BinaryMatMul", "ShiftMatMul"])
def test_every_product_with_every_ending(kind: str, ending: str) -> None:
    net = TrainedNet(5)
    x = net.input("x", (1, 37))
    y = {
        "MatMul": lambda: net.gemm(x, 11),
        "BinaryMatMul": lambda: net.binary_gemm(net.binarize(x), 11),
        "ShiftMatMul": lambda: net.shift_gemm(x, 11, bits=4),
    }[kind]()
    net.output(net.binary_gemm(net.binarize(y), 3) if ending == "bits" else y)
    graph = checked(net, feeds((1, 37)))
    assert kind in kinds(graph) and (ending == "8bit") == ("Requantization" in endings(graph)[:1])


def endings(graph: exact.ExactGraph) -> list[str]:
    found = (getattr(layer, "ending", None) for layer in graph.layers)
    return [type(ending).__name__ for ending in found if ending is not None]


def one_layer(weight: Array, scale: Array, bias: Array, threshold: Array) -> TrainedNet:
    """x → signs → BinaryGemm → Binarize → BinaryGemm of one column."""
    net = TrainedNet(0)
    x = net.binarize(net.input("x", (1, len(weight))), np.zeros((), np.float32))
    y = net.add_node(binary_gemm(x, *(net.constant(array) for array in (weight, scale, bias))))
    ones = net.constant(np.ones((weight.shape[1], 1), np.int8))
    bits = net.binarize(y, threshold)
    net.output(net.add_node(binary_gemm(bits, ones, net.constant(float32(1)), net.constant(float32(0)))))
    return net


def test_limits_are_exact_at_ties_for_both_signs_and_without_a_scale() -> None:
    """Channels: a tie, the tie missed by one unit in the last place, a negative factor at its tie, constants."""
    count = 5
    third = np.float32(1 / 3)
    scale = float32(third, third, -third, 0, 0, third, third)
    bias = float32(0, 0, 0, 0.25, 0.25, -1e9, 1e9)
    # third * 3 is exact in float64 and no binary32 number but after rounding: one of the neighbours lies below it.
    tie = np.float32(np.float64(third) * 3)
    threshold = float32(tie, np.nextafter(tie, np.float32(np.inf)), -tie, 0.25, 0.5, 0, 0)
    weight = np.ones((count, 7), np.int8)
    _, model = lowered(one_layer(weight, scale, bias, threshold), feeds((1, count)))
    layer = next(layer for layer in read_exact(model).layers if layer.name == "binarygemm_1")
    assert isinstance(layer, exact.BinaryMatMul) and isinstance(layer.ending, Threshold)
    turned = np.where(scale < 0, -1, 1)
    np.testing.assert_array_equal(layer.weight, weight * turned)
    for channel in range(len(scale)):
        for acc in range(-count, count + 1, 2):
            value = Fraction(float(scale[channel])) * acc + Fraction(float(bias[channel]))
            wanted = value >= Fraction(float(threshold[channel]))
            assert (acc * turned[channel] >= layer.ending.limit[channel]) == wanted, (channel, acc)


@pytest.mark.parametrize("seed", range(12))
def test_a_binary_chain_makes_the_bits_of_the_float_model(seed: int) -> None:
    """Nothing between the input's signs and the last sum is rounded, so even the float model's bits are met."""
    net = TrainedNet(seed)
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(1, 40))
    x = net.binarize(net.input("x", (1, channels, 6, 5)), np.zeros((), np.float32))
    for depth in range(3):
        y = net.binary_conv(x, int(rng.integers(1, 40)), pads=(1, 1, 1, 1), pad_value=int(rng.integers(-1, 2)))
        x = net.binarize(net.normalize(y) if depth == 1 else y)
    net.output(net.binary_conv(x, 5, (6, 5)))
    samples = feeds((1, channels, 6, 5))
    checked(net, samples)


def test_a_residual_stream_stays_8_bit_and_is_binarized_beside() -> None:
    net = TrainedNet(3)
    stream = net.conv(image(net), 8, pads=(1, 1, 1, 1))
    for _ in range(2):
        y = net.binary_conv(net.binarize(stream), 8, pads=(1, 1, 1, 1))
        stream = net.add(net.normalize(y), stream)
    net.output(net.gemm(net.reshape(net.average_pool(stream, (7, 6)), 1, 8), 4))
    graph = checked(net)
    assert kinds(graph).count("Binarize") == 2 and kinds(graph).count("BinaryConv") == 2
    assert graph.tensors[only(graph, "AveragePool").inputs[0]].bits == 8


def test_arithmetic_before_a_binarize_is_in_its_sign_and_limit() -> None:
    net = TrainedNet(4)
    stream = net.conv(image(net), 8, pads=(1, 1, 1, 1))
    total = net.add(stream, stream)
    net.output(net.binary_conv(net.binarize(net.normalize(total)), 4))
    layer = only(checked(net), "Binarize")
    assert set(layer.sign) == {-1, 1}


def rprelu(net: TrainedNet, x: ir.Value) -> ir.Value:
    channels = x.shape[1] if x.shape is not None else 0
    moved = net.standard("Add", [x, net.numbers(channels, 1, 1)])
    return net.standard("Add", [net.prelu(moved), net.numbers(channels, 1, 1)])


def test_rprelu_and_normalization_are_one_layer() -> None:
    net = TrainedNet(6)
    stream = net.conv(image(net), 16, pads=(1, 1, 1, 1))
    total = net.add(stream, stream)
    net.output(net.conv(net.normalize(rprelu(net, net.normalize(total))), 3))
    graph = checked(net)
    assert kinds(graph).count("PiecewiseLinear") == 1


def test_pieces_of_every_slope_and_constants() -> None:
    """Factors before the knee of both signs and zero, slopes above one, below zero, and zero."""
    net = TrainedNet(7)
    x = net.conv(image(net), 6, pads=(1, 1, 1, 1))
    total = net.add(x, x)
    y = net.standard("Mul", [total, net.constant(float32(1, -2, 0, 0, -0.5, 30).reshape(6, 1, 1))])
    y = net.standard("Add", [y, net.constant(float32(-0.5, 0.25, 1, -1, 0, 1000).reshape(6, 1, 1))])
    slope = net.constant(float32(0.25, 1.5, 0.5, 0.5, -1, 0).reshape(6, 1, 1))
    net.output(net.standard("PRelu", [y, slope]))
    assert "PiecewiseLinear" in kinds(checked(net))


def test_pools_on_bits_take_minima_where_a_factor_is_negative() -> None:
    net = TrainedNet(8)
    y = net.max_pool(net.conv(image(net), 12, pads=(1, 1, 1, 1)), (2, 2))
    net.output(net.binary_conv(net.binarize(net.normalize(y)), 4))
    pool = only(checked(net), "BinaryMaxPool")
    assert set(pool.sign) == {-1, 1}


def xnor(net: TrainedNet, x: ir.Value) -> ir.Value:
    scale = net.standard("ReduceMean", [net.standard("Abs", [x]), net.constant(np.array([1, 2, 3]))], keepdims=1)
    y = net.binary_conv(net.binarize(x, np.zeros((), np.float32)), 6, pads=(1, 1, 1, 1))
    return net.standard("Mul", [y, scale])


@pytest.mark.parametrize("ending", ["8bit", "bits"])
def test_a_scale_of_run_time_multiplies(ending: str) -> None:
    net = TrainedNet(9)
    x = net.conv(image(net), 6, pads=(1, 1, 1, 1))
    y = net.normalize(xnor(net, x))
    net.output(net.binary_conv(net.binarize(y), 2) if ending == "bits" else y)
    graph = checked(net)
    assert {"AbsoluteSum", "Multiply"} <= set(kinds(graph))
    assert graph.tensors[only(graph, "Multiply").output].bits == (1 if ending == "bits" else 8)


def test_a_scale_of_positions_multiplies() -> None:
    net = TrainedNet(10)
    y = net.binary_conv(net.binarize(image(net)), 6, pads=(1, 1, 1, 1))
    net.output(net.normalize(net.standard("Mul", [y, net.numbers(1, 1, 7, 6, low=0.2, high=1.5)])))
    layer = only(checked(net, rounding=1.2), "Multiply")
    assert layer.factor.shape == (1, 1, 7, 6) and len(layer.inputs) == 1


def test_rows_of_tokens_end_in_bits_and_numbers() -> None:
    net = TrainedNet(21)
    x = net.input("x", (1, 5, 19))
    threshold = net.rng.normal(0, 0.3, 13).astype(np.float32)
    y = net.binary_gemm(net.binarize(x, np.float32(0.1).reshape(())), 13)
    y = net.shift_gemm(net.binary_gemm(net.binarize(y, threshold), 7), 6)
    net.output(y)
    graph = checked(net, feeds((1, 5, 19)))
    assert [layer.kind for layer in graph.layers if layer.kind.endswith("MatMul")] == [
        *("BinaryMatMul", "BinaryMatMul", "ShiftMatMul")
    ]


def test_bits_are_moved_as_bits() -> None:
    net = TrainedNet(22)
    x = net.conv(image(net), 4, pads=(1, 1, 1, 1))
    both = net.standard("Concat", [net.binarize(x), net.binarize(x)], axis=1)
    turned = net.standard("Transpose", [both], perm=[0, 1, 3, 2])
    net.output(net.binary_gemm(net.reshape(turned, 1, 8 * 7 * 6), 5))
    graph = checked(net)
    moved = [layer for layer in graph.layers if layer.kind in ("Concat", "Transpose", "Reshape")]
    assert len(moved) == 3 and all(graph.tensors[layer.output].bits == 1 for layer in moved)


def test_a_signal_of_one_dimension_is_an_image_of_one_row() -> None:
    net = TrainedNet(23)
    x = net.input("x", (1, 3, 20))
    y = net.shift_conv(x, 8, (3,), pads=(1, 1), bits=2)
    y = net.binary_conv(net.binarize(y), 9, (3,), strides=(2,), pads=(2, 1), pad_value=-1)
    net.output(net.binary_conv(net.binarize(net.normalize(y)), 3, (2,)))
    graph = checked(net, feeds((1, 3, 20)))
    assert kinds(graph).count("BinaryConv") == 2 and "ShiftConv" in kinds(graph)


def test_bits_may_be_read_as_numbers_too() -> None:
    net = TrainedNet(11)
    bits = net.binarize(net.conv(image(net), 6))
    net.output(net.conv(bits, 3))
    net.output(net.binary_conv(bits, 3))
    graph = checked(net)
    assert {"Binarize", "PiecewiseLinear", "BinaryConv"} <= set(kinds(graph))


def test_bits_that_only_other_layers_read_are_numbers_all_the_way() -> None:
    net = TrainedNet(12)
    net.output(net.conv(net.max_pool(net.binarize(net.conv(image(net), 6))), 3, (1, 1)))
    graph = checked(net)
    assert all(tensor.bits == 8 for tensor in graph.tensors.values()) and "MaxPool" in kinds(graph)


def test_bits_that_leave_the_network_are_numbers_there() -> None:
    net = TrainedNet(24)
    bits = net.binarize(net.conv(image(net), 6))
    net.output(bits)
    net.output(net.binary_conv(bits, 3))
    graph = checked(net)
    assert [layer.kind for layer in graph.layers if layer.output in graph.outputs] == ["Dequantize", "Dequantize"]


def test_a_sum_past_int32_is_refused_also_before_a_threshold() -> None:
    net = TrainedNet(25)
    weight, none = np.full((300_000, 1), 128, np.int16), np.zeros(1, np.float32)
    codes = net.constant(encode(weight, 4))
    x = net.input("x", (1, len(weight)))
    y = net.add_node(shift_gemm(x, codes, net.constant(none + 1), net.constant(none), bits=4))
    net.output(net.binary_gemm(net.binarize(y, np.float32([5e9])), 1))
    with pytest.raises(TinsmithError, match=r"ShiftMatMul 'shiftgemm_0' (.*): its sums can reach"):
        lowered(net, feeds((1, len(weight)), 2))


def test_moved_bits_in_two_forms_are_refused_with_their_readers() -> None:
    net = TrainedNet(13)
    pooled = net.max_pool(net.binarize(net.conv(image(net), 6)))
    net.output(net.conv(pooled, 3, (1, 1)))
    net.output(net.binary_conv(pooled, 3, (1, 1)))
    with pytest.raises(TinsmithError, match=r"read by binary layers and, as numbers, by 'conv_"):
        lowered(net)


def test_layers_that_stay_8_bit_are_warned_of() -> None:
    net = TrainedNet(11)
    bits = net.binarize(net.conv(image(net), 6))
    net.output(net.add(net.conv(bits, 3), net.binary_conv(bits, 3)))
    found = {warning.layer: warning.text for warning in warnings_of(lowered(net)[1])}
    assert found["conv_0"] == "its weights stay 8 bit: training left them real-valued"
    assert found["binarize_1/8bit"] == "its bits are kept as bytes too: conv_2 reads them as numbers"
    assert set(found) == {"conv_0", "conv_2", "binarize_1/8bit"}


def test_a_network_of_8_bits_alone_is_not_warned_of() -> None:
    net = TrainedNet(1)
    net.output(net.conv(image(net), 6))
    assert not warnings_of(lowered(net)[1])


def test_a_range_for_bits_is_refused() -> None:
    net = TrainedNet(1)
    net.output(net.binary_conv(net.binarize(net.conv(image(net), 6)), 2))
    recipe = parse_recipe({"layers": {"conv_0": {"range": [-1.0, 1.0]}}})
    with pytest.raises(TinsmithError, match=r"Binarize 'binarize_1'(.|\n)*its output is one bit"):
        quantize(canonicalize(net.model()), feeds(), recipe)


def test_a_scale_of_zero_leaves_the_bias() -> None:
    net = TrainedNet(14)
    scale, bias = float32(0, 0.01, 1e-12, 0.02), float32(1.5, 0.5, -1, 0.1)
    y = net.binary_conv(net.binarize(image(net)), 4)
    node = y.producer()
    assert node is not None
    node.replace_input_with(2, net.constant(scale))
    node.replace_input_with(3, net.constant(bias))
    net.output(y)
    checked(net)


def test_a_flipped_weight_changes_the_bits() -> None:
    net = TrainedNet(15)
    net.output(net.binary_conv(net.binarize(net.binary_conv(net.binarize(image(net)), 5)), 3))
    qdq, model = lowered(net)
    weight = model.graph.initializers["binaryconv_1/weight"]
    array = weight.const_value.numpy().copy()  # type: ignore[union-attr]
    array[2, 1, 0, 0] *= -1
    weight.const_value = ir.tensor(array, name=weight.name)
    with pytest.raises(AssertionError):
        for index in range(8):
            check_layers(qdq, model, {"x": feeds()["x"][index]})


def test_the_oracle_agrees_with_the_float_model_on_most_classes() -> None:
    agreed = total = 0
    for seed in range(4):
        net = TrainedNet(seed)
        y = net.binary_conv(net.binarize(net.conv(image(net), 24, pads=(1, 1, 1, 1))), 24, pads=(1, 1, 1, 1))
        y = net.shift_conv(net.relu(y), 16)
        net.output(net.gemm(net.reshape(net.average_pool(y, (5, 4)), 1, 16), 4))
        samples = feeds(count=24)
        model = canonicalize(net.model())
        run = FloatRun(model)
        quantize(model, samples)
        lower(model)
        name, oracle = model.graph.outputs[0].name or "", Oracle(model)
        for x in samples["x"]:
            agreed += int(run.run({"x": x})[name].argmax() == oracle.run({"x": x})[name].argmax())
            total += 1
    assert agreed / total > 0.9
