"""Range proofs: tight where every input can be tried, refused where a sum could pass int32."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from exact_models import KINDS, Net, random_net
from exact_reference import run_reference
from tinsmith.errors import TinsmithError
from tinsmith.ir import exact
from tinsmith.ir.exact import BinaryConv, ExactGraph, Multiply, PiecewiseLinear, Tensor
from tinsmith.numerics.ranges import accumulator, partial_sum_bound, prove
from tinsmith.numerics.softmax import exponentials


def small_conv(**keywords: object) -> tuple[Net, str]:
    net = Net(5, extreme=True)
    x = net.quantize(net.input("x", (1, 2, 1, 2)), dtype="int8", zero_point=-30)
    y = net.conv(x, 3, (1, 2), **keywords)  # type: ignore[arg-type]
    net.dequantize(y)
    return net, y


def test_accumulator_range_is_reached_at_both_ends() -> None:
    net, _ = small_conv()
    graph = net.graph()
    conv = graph.layers[1]
    assert isinstance(conv, exact.Conv)
    proved = accumulator(conv, graph.tensors)
    assert proved is not None
    ends = [-128 + 30, 127 + 30]
    rows = conv.weight.reshape(3, 4).astype(np.int64)
    tried = np.array([rows @ np.array(x) + conv.bias for x in itertools.product(ends, repeat=4)])
    assert proved.lo.tolist() == tried.min(axis=0).tolist()
    assert proved.hi.tolist() == tried.max(axis=0).tolist()
    assert conv.acc == (tried.min(), tried.max())


def test_padding_keeps_zero_in_the_interval() -> None:
    """All inputs are at least 5 above the zero point, but padded windows are not."""
    x = Tensor("x", (1, 1, 2, 2), "uint8", 1.0, 10, 15, 20)
    weight = np.ones((1, 1, 3, 3), np.int8)
    net, _ = small_conv()
    conv = replace(net.graph().layers[1], inputs=("x",), weight=weight, bias=np.zeros(1, np.int32))  # type: ignore[type-var]
    proved = accumulator(conv, {"x": x})
    assert proved is not None and (proved.lo[0], proved.hi[0]) == (0, 90)


def test_relu_and_clip_narrow_what_follows() -> None:
    net = Net(6)
    x = net.quantize(net.input("x", (1, 4, 5, 5)))
    y = net.requantize(x, dtype="int8", zero_point=10, lo=10, hi=30, gain=3.0)
    pooled = net.average_pool(net.max_pool(y, (2, 2)), (2, 2), dtype="int8")
    net.dequantize(pooled)
    graph = net.graph()
    assert (graph.tensors[y].lo, graph.tensors[y].hi) == (10, 30)
    assert graph.layers[3].acc == (0, 4 * 20)


@pytest.mark.parametrize("kind", KINDS)
def test_no_value_leaves_its_proved_range(kind: str) -> None:
    for seed in range(4):
        net = random_net(seed, kind, extreme=seed % 2 == 1)
        graph = net.graph()
        values = run_reference(graph, net.sample(seed, extreme=True))
        for name, array in values.items():
            if array.dtype != np.float32:
                assert graph.tensors[name].lo <= array.min() and array.max() <= graph.tensors[name].hi, name


def matmul_of(terms: int, bias: int) -> ExactGraph:
    """One row of weights 127 over uint8: 2 * 255 * 127 * terms + |bias| bounds every partial sum."""
    net = Net()
    x = net.quantize(net.input("x", (1, terms)))
    net.dequantize(net.matmul(x, 1))
    layer = net.layers[1]
    weight, sums = np.full((terms, 1), 127, np.int8), np.array([bias], np.int32)
    net.layers[1] = replace(layer, weight=weight, bias=sums)  # type: ignore[type-var]
    return ExactGraph("net", ("x",), tuple(net.outputs), net.tensors, tuple(net.layers))


def test_a_sum_past_int32_is_an_error_that_names_the_layer_and_the_bound() -> None:
    terms = (2**31 - 1) // (2 * 255 * 127)
    rest = 2**31 - 1 - terms * 2 * 255 * 127
    assert prove(matmul_of(terms, rest)).layers[1].acc[1] == terms * 255 * 127 + rest
    with pytest.raises(TinsmithError) as caught:
        prove(matmul_of(terms, rest + 1))
    (problem,) = caught.value.problems
    assert "MatMul 'matmul_1'" in problem.where and "net.py:2" in problem.where
    assert f"{2**31:,}" in problem.what and problem.why and problem.fix


def test_partial_sum_bound_covers_every_form_and_order() -> None:
    rng = np.random.default_rng(0)
    weight, bias = rng.integers(-127, 128, (20, 9)), rng.integers(-5000, 5000, 20)
    bound = partial_sum_bound(weight, bias)
    for zero in (-255, -128, 0, 127, 255):
        for _ in range(20):
            x = rng.choice([-128, 0, 127, 255], 9)
            order = rng.permutation(9)
            start = bias - zero * weight.sum(axis=1)
            partial = start[:, None] + np.cumsum((weight * x)[:, order], axis=1)
            assert (np.abs(partial).max(axis=1) <= bound).all() and (np.abs(start) <= bound).all()


def test_the_bound_of_16_bits() -> None:
    """32768 * 127 * 515 + |bias| bounds every partial sum of 515 weights of 127."""
    for bias, fits in ((2**31 - 1 - 515 * 127 * 2**15, True), (2**31 - 515 * 127 * 2**15, False)):
        net = Net()
        net.dequantize(net.matmul(net.quantize(net.input("x", (1, 515)), dtype="int16"), 1, dtype="int16"))
        layer = net.layers[1]
        weight = np.full((515, 1), 127, np.int8)
        net.layers[1] = replace(layer, weight=weight, bias=np.array([bias], np.int32))  # type: ignore[type-var]
        if fits:
            assert net.graph().layers[1].acc[1] == 515 * 127 * 32767 + bias
        else:
            with pytest.raises(TinsmithError, match=r"2,147,483,648.*") as caught:
                net.graph()
            assert 'activations = "8-bit"' in caught.value.problems[0].fix


def test_every_unprovable_layer_is_reported_at_once() -> None:
    net = Net()
    x = net.quantize(net.input("x", (1, 40_000)))
    for _ in range(2):
        net.dequantize(x)
    for number in range(2):
        bad = matmul_of(40_000, 0).layers[1]
        net.layers.append(replace(bad, name=f"fc{number}", inputs=(x,), output=f"y{number}"))
        net.tensors[f"y{number}"] = Tensor(f"y{number}", (1, 1), "uint8", 1.0, 0, 0, 255)
    with pytest.raises(TinsmithError) as caught:
        net.graph()
    assert [problem.where.split("'")[1] for problem in caught.value.problems] == ["fc0", "fc1"]


def test_exponentials_are_the_rounded_ones_and_their_sum_fits() -> None:
    table = exponentials(0.125, 10)
    wanted = np.exp(-0.125 * np.arange(256)) * 2**23
    assert table.dtype == np.int32 and table[0] == 2**23
    assert np.abs(table - wanted).max() <= 0.5 + 1e-6
    largest = int(exponentials(0.125, 100_000)[0])
    assert largest * 100_000 < 2**31 <= 2 * largest * 100_000


def test_exponentials_refuse_more_classes_than_int32_can_add() -> None:
    with pytest.raises(TinsmithError, match="Softmax 's'"):
        exponentials(0.1, 10_000_000, "Softmax 's'")


@pytest.mark.parametrize("seed", range(12))
def test_pieces_reach_what_is_proved(seed: int) -> None:
    """Every v of a channel, through both pieces by hand: the proof is neither wrong nor loose."""
    net = random_net(seed, "piecewise_linear")
    layer = next(layer for layer in net.layers if isinstance(layer, PiecewiseLinear))
    x = net.tensors[layer.inputs[0]]
    v = np.arange(x.lo - x.zero_point, x.hi - x.zero_point + 1)[:, None]
    upper = (v >= layer.knee).astype(int)
    channels = np.arange(layer.knee.size)
    sums = v * layer.multiplier.astype(np.int64)[upper, channels] + layer.offset.astype(np.int64)[upper, channels]
    proved = accumulator(layer, net.tensors)
    assert proved is not None
    np.testing.assert_array_equal(proved.lo, sums.min(axis=0))
    np.testing.assert_array_equal(proved.hi, sums.max(axis=0))


@pytest.mark.parametrize("seed", range(12))
def test_products_reach_what_is_proved(seed: int) -> None:
    net = random_net(seed, "multiply_constant")
    layer = next(layer for layer in net.layers if isinstance(layer, Multiply))
    x = net.tensors[layer.inputs[0]]
    assert layer.factor is not None
    factor = np.moveaxis(np.broadcast_to(layer.factor.astype(np.int64), x.shape), layer.axis, 0)
    ends = [factor.reshape(layer.bias.size, -1) * (end - x.zero_point) for end in (x.lo, x.hi)]
    proved = accumulator(layer, net.tensors)
    assert proved is not None
    np.testing.assert_array_equal(proved.lo, np.minimum(*ends).min(axis=1) + layer.bias)
    np.testing.assert_array_equal(proved.hi, np.maximum(*ends).max(axis=1) + layer.bias)


def test_bits_reach_the_count_of_their_weights() -> None:
    net = Net(3)
    net.dequantize(net.binary_conv(net.bit_input("x", (1, 7, 5, 5)), 4, pad_value=0, pads=(1, 1, 1, 1)))
    layer = net.layers[2]
    assert isinstance(layer, BinaryConv)
    proved = accumulator(layer, net.tensors)
    assert proved is not None
    np.testing.assert_array_equal(proved.hi - layer.bias, np.full(4, 7 * 9))
    np.testing.assert_array_equal(proved.lo - layer.bias, np.full(4, -7 * 9))


def test_partial_sum_bound_covers_sums_of_differing_bits() -> None:
    """bias + K - 2 * differing, and K of the taps that padding hides taken off, added in any order."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        weights, hidden, bias = int(rng.integers(1, 50)), int(rng.integers(0, 5)), int(rng.integers(-60, 60))
        differing = int(rng.integers(0, weights + 1))
        parts = rng.permutation([bias, weights, *[-2] * differing, -min(hidden, weights)])
        (bound,) = partial_sum_bound(np.ones((1, weights)), np.array([bias]), 1)
        assert np.abs(np.cumsum(parts)).max() <= bound
