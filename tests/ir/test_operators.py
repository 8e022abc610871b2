"""Every operator's function body, in stock onnxruntime, against an independent implementation."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from exact_models import KINDS, Net, random_net
from exact_reference import run_reference
from exact_wide import WIDE_KINDS, random_wide
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tinsmith.ir.reader import read_exact
from tinsmith.verify.oracle import Oracle


def compare(net: Net, *, seed: int = 0, extreme: bool = False) -> dict[str, np.ndarray]:
    """Run the oracle and the reference; equal in bits and types, and inside the proved ranges. Returns the values."""
    graph, sample = net.graph(), net.sample(seed, extreme=extreme)
    got, wanted = Oracle(net.model()).run(sample), run_reference(graph, sample)
    assert got.keys() == wanted.keys()
    for name, values in got.items():
        tensor = graph.tensors[name]
        assert (values.dtype, values.shape) == (np.dtype(tensor.dtype), tensor.shape), name
        np.testing.assert_array_equal(values, wanted[name], err_msg=name, strict=True)
        if values.dtype != np.float32:
            assert tensor.lo <= values.min() and values.max() <= tensor.hi, name
    return got


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, phases=[Phase.generate])  # a seed does not shrink
@given(seed=st.integers(0, 10**6), extreme=st.booleans(), ends=st.booleans())
def test_function_body_equals_reference(kind: str, seed: int, extreme: bool, ends: bool) -> None:
    compare(random_net(seed, kind, extreme=extreme), seed=seed, extreme=ends)


@pytest.mark.parametrize("kind", WIDE_KINDS)
@settings(max_examples=12, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6), extreme=st.booleans(), ends=st.booleans())
def test_function_body_of_16_bits_equals_reference(kind: str, seed: int, extreme: bool, ends: bool) -> None:
    compare(random_wide(seed, kind, extreme=extreme), seed=seed, extreme=ends)


@pytest.mark.parametrize("kind", [*KINDS, *WIDE_KINDS])
def test_records_survive_the_file(kind: str) -> None:
    net = random_net(7, kind) if kind in KINDS else random_wide(7, kind)
    proto = ir.to_proto(net.model())
    onnx.checker.check_model(proto, full_check=True)
    graph, again = net.graph(), read_exact(ir.from_proto(onnx.ModelProto.FromString(proto.SerializeToString())))
    assert again.tensors == graph.tensors
    assert (again.name, again.inputs, again.outputs) == (graph.name, graph.inputs, graph.outputs)
    for read, written in zip(again.layers, graph.layers, strict=True):
        assert type(read) is type(written)
        np.testing.assert_equal(asdict(read), asdict(written))


def test_the_same_graph_gives_the_same_bytes() -> None:
    first, second = (ir.to_proto(random_net(5, "residual").model()).SerializeToString() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("zero_point", ["lo", "hi"])
def test_padding_is_the_zero_point(dtype: str, zero_point: str) -> None:
    extremes = {"uint8": {"lo": 0, "hi": 255}, "int8": {"lo": -128, "hi": 127}}
    net = Net(1)
    zero = extremes[dtype][zero_point]
    x = net.quantize(net.input("x", (1, 3, 4, 4)), dtype=dtype, zero_point=zero)
    net.dequantize(net.conv(x, 5, (3, 3), pads=(2, 1, 2, 2), dilations=(1, 2)))
    net.dequantize(net.average_pool(x, (3, 3), pads=(2, 1, 2, 2)))
    net.dequantize(net.max_pool(x, (3, 3), pads=(2, 1, 2, 2)))
    compare(net)


def test_halves_round_up() -> None:
    """acc = x - 128 in steps of half an output: -1.5 → -1, -0.5 → 0, 0.5 → 1, 1.5 → 2."""
    net = Net()
    x = net.quantize(net.input("x", (1, 7)), zero_point=128, scale=1.0)
    net.dequantize(net.requantize(x, dtype="int8", precision="power-of-two", gain=127.5 / 255))
    requant = net.graph().layers[1].requant  # type: ignore[attr-defined]
    assert (requant.shift, requant.multiplier.tolist()) == (1, [1])
    sample = {"x": np.array([[-3, -2, -1, 0, 1, 2, 3]], np.float32)}
    got = Oracle(net.model()).run(sample)["requantize_1_out"]
    assert got.tolist() == [[-1, -1, 0, 0, 1, 1, 2]]


def test_quantize_rounds_halves_to_even_and_saturates() -> None:
    net = Net()
    net.dequantize(net.quantize(net.input("x", (1, 8)), dtype="int8", zero_point=3, scale=2.0))
    x = np.array([[1.0, 3.0, 5.0, -1.0, 1e30, -1e30, np.inf, -np.inf]], np.float32)
    got = Oracle(net.model()).run({"x": x})
    assert got["quantize_0_out"].tolist() == [[3, 5, 5, 3, 127, -128, 127, -128]]


def test_saturates_at_lo_and_hi() -> None:
    net = Net(2)
    x = net.quantize(net.input("x", (1, 6, 6, 6)), dtype="int8", zero_point=-7)
    y = net.conv(x, 8, gain=6.0, lo=20, hi=90)
    net.dequantize(y)
    values = compare(net, extreme=True)[y]
    assert (values.min(), values.max()) == (20, 90)


def test_largest_multiplier_and_accumulator() -> None:
    """31-bit multipliers on an accumulator of nearly 31 bits: the product needs all of int64."""
    net = Net(3, extreme=True)
    x = net.quantize(net.input("x", (1, 16000)))
    y = net.matmul(x, 4, precision="wide", gain=1.0)
    net.dequantize(y)
    layer = net.graph().layers[1]
    assert max(map(abs, layer.acc)) > 2**27 and layer.ending.wide  # type: ignore[attr-defined]
    assert layer.ending.multiplier.max() >= 2**30  # type: ignore[attr-defined]
    compare(net, extreme=True)


def test_a_tensor_may_feed_several_layers_and_outputs() -> None:
    net = Net(4)
    x = net.quantize(net.input("x", (1, 4, 6, 6)))
    net.dequantize(net.add(x, x))
    net.dequantize(net.conv(x, 3))
    net.dequantize(x)
    net.dequantize(x)
    compare(net)


def test_softmax_of_equal_logits_is_uniform_and_of_far_ones_is_one_hot() -> None:
    net = Net()
    net.softmax(net.quantize(net.input("x", (2, 4)), dtype="int8", scale=1.0))
    x = np.array([[5, 5, 5, 5], [-100, 100, -100, -100]], np.float32)
    got = Oracle(net.model()).run({"x": x})["softmax_1_out"]
    assert got.tolist() == [[0.25] * 4, [0.0, 1.0, 0.0, 0.0]]


def test_arg_max_takes_the_first_of_equals() -> None:
    net = Net()
    net.arg_max(net.quantize(net.input("x", (1, 5)), scale=1.0))
    got = Oracle(net.model()).run({"x": np.array([[1, 9, 3, 9, 9]], np.float32)})
    assert got["arg_max_1_out"].tolist() == [1]
