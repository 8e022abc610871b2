"""Activations of 16 bits: where the recipe's wish comes true, what it gains, and what is refused with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from canonical_models import Canonical
from exact_check import check_layers
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize
from tinsmith.ir.exact import Conv, ExactGraph, Requantization, ending_of
from tinsmith.ir.reader import read_exact
from tinsmith.ir.stages import Stage, check_stage
from tinsmith.ir.warnings import warnings_of
from tinsmith.numerics.float_run import FloatRun
from tinsmith.numerics.sqnr import layer_sqnr
from tinsmith.passes.lower_exact import lower
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import Recipe, parse_recipe
from tinsmith.verify.oracle import Oracle
from trained_net import TrainedNet


def same(
    net: Canonical, kind: str, x: ir.Value, *others: ir.Value, channels: int | None = None, **more: Any
) -> ir.Value:
    """An operator whose result is as large as `x`, but for its channels."""
    y = net.op(kind, x, *others, **more)
    assert x.shape is not None
    y.shape, y.type = ir.Shape((1, channels or x.shape[1], *x.shape[2:])), x.type
    return y


def mixed(width: int = 8) -> Canonical:
    """Convolutions and a product between a pool and an addition, which read 8 bits."""
    net = Canonical(4)
    x = net.input("x", (1, 3, 8, 8))
    a = same(net, "Relu", net.conv(x, width, name="c1"), name="r1")
    b = net.conv(a, width, name="c2")
    c = net.conv(same(net, "Concat", a, b, channels=2 * width, axis=1, name="joined"), width, name="c3")
    d = net.op("Add", net.conv(c, width, name="c4"), c, name="sum")
    flat = net.op("Reshape", d, name="flat", constants=(np.array([1, width * 64]),))
    weight = net.rng.normal(0, 0.1, (width * 64, 5)).astype(np.float32)
    net.output(net.gemm(flat, weight, np.zeros(5, np.float32), name="fc"))
    return net


def samples(count: int = 8) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(1).normal(0.3, 1, (count, 1, 3, 8, 8)).astype(np.float32)}


def made(net: Canonical, table: dict[str, Any] | Recipe) -> tuple[ir.Model, ir.Model, ir.Model]:
    """The canonical, the quantized and the exact model."""
    model = net.model()
    floating = model.clone()
    quantize(model, samples(), table if isinstance(table, Recipe) else parse_recipe(table))
    check_stage(model, Stage.QUANTIZED)
    qdq = model.clone()
    onnx.checker.check_model(ir.to_proto(qdq), full_check=True)
    lower(model)
    check_stage(model, Stage.EXACT)
    return floating, qdq, model


def widths(graph: ExactGraph) -> dict[str, int]:
    return {layer.name: graph.tensors[layer.output].bits for layer in graph.layers if layer.kind != "Dequantize"}


ALL = {"activations": "16-bit"}


def test_the_whole_network_has_16_bits_wherever_only_capable_layers_read() -> None:
    _, qdq, model = made(mixed(), ALL)
    graph = read_exact(model)
    expected = {"c1": 16, "c2": 16, "joined": 16, "c3": 8, "c4": 8, "sum": 8, "flat": 8, "fc": 16}
    assert widths(graph) == {"x/quantize": 16, **expected}
    assert all(t.zero_point == 0 and t.dtype == "int16" for t in graph.tensors.values() if t.bits == 16)
    assert {graph.tensors[layer.output].scale for layer in graph.layers if layer.name in ("c1", "c2", "joined")} == {
        graph.tensors[graph.layers[1].output].scale
    }
    check_layers(qdq, model, {"x": samples()["x"][0]})
    told = {warning.layer: warning.text for warning in warnings_of(model)}
    assert told.keys() == {"c3", "c4", "sum"}
    assert told["c3"] == "its output stays 8 bit: Add 'sum' reads it"
    assert told["sum"] == "its output stays 8 bit: Add 'sum' makes it"


def test_16_bits_are_closer_to_the_float_model() -> None:
    few, many = (decibels(table) for table in ({}, ALL))
    for name in ("c1", "c2"):  # whose weights keep 8 bits
        assert many[name] > few[name] + 3


def decibels(table: dict[str, Any]) -> dict[str, float]:
    floating, _, model = made(mixed(), table)
    values = [node.outputs[0].name or "" for node in floating.graph]
    return layer_sqnr(FloatRun(floating, values), read_exact(model), Oracle(model).run, samples())


def test_a_layers_own_name_or_a_pattern() -> None:
    _, qdq, model = made(mixed(), {"layers": {"c2": ALL, "c3": {"activations": "8-bit"}}})
    bits = widths(read_exact(model))
    assert [name for name, n in bits.items() if n == 16] == ["c1", "c2", "joined"]  # which share a grid
    check_layers(qdq, model, {"x": samples()["x"][1]})
    _, _, model = made(mixed(), {"layers": {"c*": ALL}})
    assert [name for name, n in widths(read_exact(model)).items() if n == 16] == ["c1", "c2", "joined"]
    assert {warning.layer for warning in warnings_of(model)} == {"c3", "c4"}


def test_what_is_named_and_cannot_be_is_refused_all_at_once() -> None:
    with pytest.raises(TinsmithError) as caught:
        made(mixed(), {"layers": {"c3": ALL, "sum": ALL, "c1": ALL}})
    first, second = caught.value.problems
    assert (first.what, first.where) == ("the recipe gives it 16 bits", "Conv 'c3' (net.py:5)")
    assert first.why.startswith("Add 'sum' reads it; convolutions and linear layers make and read 16 bits")
    assert "Add 'sum'" in second.where and second.why.startswith("Add 'sum' makes it")


def test_sums_and_bits_cannot_be_told_to_have_16_bits() -> None:
    net = Canonical(1)
    net.output(net.conv(net.input("x", (1, 3, 8, 8)), 4, name="c1"))
    with pytest.raises(TinsmithError, match="its sums have 32 bits, and the recipe gives it 16 too"):
        made(net, {"layers": {"c1": {"output": "accumulator", **ALL}}})
    trained = TrainedNet(1)
    bits = trained.binarize(trained.conv(trained.input("x", (1, 3, 8, 8)), 4))
    trained.output(trained.binary_conv(bits, 5))
    model = canonicalize(trained.model())
    with pytest.raises(TinsmithError, match="gives it 16 bits\n  why: its output is one bit"):
        quantize(model, samples(), parse_recipe({"layers": {"conv_0": ALL}}))


def test_readers_that_are_refused() -> None:
    for kind, attributes in (
        ("MaxPool", {"kernel_shape": [2, 2]}),
        ("AveragePool", {"kernel_shape": [2, 2]}),
        ("Softmax", {"axis": -1}),
    ):
        net = Canonical(1)
        y = net.conv(net.input("x", (1, 3, 8, 8)), 4, name="c1")
        net.output(net.op(kind, y, name="reader", **attributes))
        with pytest.raises(TinsmithError, match=f"{kind} 'reader' reads it"):
            made(net, {"layers": {"c1": ALL}})


@pytest.mark.parametrize("names", [["c1"], ["c1", "x"]])
def test_clamps_and_narrow_products_keep_their_precision(names: list[str]) -> None:
    """Few weights leave room for a 32-bit product only where its multiplier has 18 bits."""
    net = Canonical(3)
    y = net.conv(net.input("x", (1, 3, 8, 8)), 4, kernel=1, name="c1")
    net.output(net.op("Clip", y, name="clip", constants=(np.float32(-0.5), np.float32(0.75))))
    _, qdq, model = made(net, {"layers": dict.fromkeys(names, ALL)})
    (ending,) = (ending_of(layer) for layer in read_exact(model).layers if layer.name == "c1")
    assert isinstance(ending, Requantization) and (ending.wide or ending.multiplier.min() >= 2**17)
    assert -32768 < ending.lo < 0 and ending.hi == 32767  # where the clip ends, so does the range
    check_layers(qdq, model, {"x": samples()["x"][2]})


@pytest.mark.parametrize("output", ["8-bit", "accumulator"])
def test_scales_rise_until_sums_of_16_bits_fit(output: str) -> None:
    """900 weights near the largest: in 127ths of it they would pass int32."""
    net = Canonical(5)
    wide = same(net, "Relu", net.conv(net.input("x", (1, 3, 8, 8)), 100, name="c1"), name="r1")
    weight = net.rng.choice([-0.5, 0.5], (4, 100, 3, 3)) * net.rng.uniform(0.9, 1, (4, 100, 3, 3))
    net.output(net.conv(wide, weight.astype(np.float32), name="c2"))
    _, qdq, model = made(net, {**ALL, "layers": {"c2": {"output": output}}})
    (conv,) = (layer for layer in read_exact(model).layers if layer.name == "c2")
    assert isinstance(conv, Conv) and 32 <= np.abs(conv.weight).max() < 127
    if output == "8-bit":
        check_layers(qdq, model, {"x": samples()["x"][0]})


LAYERS = ("conv", "conv", "relu", "join", "turn", "max", "add")


@pytest.mark.parametrize("seed", range(16))
def test_random_networks_follow_qdq(seed: int) -> None:
    net = Canonical(seed)
    y = net.input("x", (1, 3, 8, 8))
    for kind in net.rng.choice(LAYERS, 6):
        match kind:
            case "conv":
                y = net.conv(y, int(net.rng.integers(1, 9)), kernel=int(net.rng.choice([1, 3])))
            case "relu":
                y = same(net, "Relu", y)
            case "turn":
                y = same(net, "Transpose", y, perm=[0, 1, 3, 2])
            case "max":
                y = same(net, "MaxPool", y, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            case "join":
                y = same(net, "Concat", y, y, channels=2 * int(y.shape[1]), axis=1)  # type: ignore[index]
            case "add":
                y = same(net, "Add", y, y)
    net.output(net.conv(y, 2, name="last"))
    _, qdq, model = made(net, {**ALL, "scales": ["real", "power-of-two"][seed % 2]})
    check_layers(qdq, model, {"x": samples()["x"][0]}, rounding=0.56)
