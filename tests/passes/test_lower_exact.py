"""From QDQ to the exact graph: the same numbers but for roundings, fused activations, names, and clear refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from canonical_models import Canonical
from exact_check import check_layers
from tinsmith.errors import TinsmithError
from tinsmith.ir import exact
from tinsmith.ir.exact import ExactGraph
from tinsmith.ir.reader import read_exact
from tinsmith.ir.stages import Stage, check_stage
from tinsmith.passes.lower_exact import LowerExact, lower
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import Recipe, parse_recipe

ASYMMETRIC = parse_recipe({"asymmetric": True})


def feeds(shape: tuple[int, ...], count: int = 8) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(1).normal(0.3, 1, (count, *shape)).astype(np.float32)}


def lowered(net: Canonical, shape: tuple[int, ...], recipe: Recipe | None = None) -> tuple[ir.Model, ir.Model]:
    """The QDQ model and its exact form."""
    samples = feeds(shape)
    model = net.model()
    quantize(model, samples, recipe)
    qdq = model.clone()
    lower(model)
    return qdq, model


def layers(model: ir.Model) -> dict[str, Any]:
    return {layer.name: layer for layer in read_exact(model).layers}


def residual() -> Canonical:
    net = Canonical(1)
    x = net.input("x", (1, 3, 8, 8))
    a = net.op("Relu", net.conv(x, 8, name="c1"), name="r1")
    a = net.op("MaxPool", a, kernel_shape=[2, 2], strides=[2, 2], name="m")
    a.shape, a.type = ir.Shape((1, 8, 4, 4)), ir.TensorType(ir.DataType.FLOAT)
    deep = net.conv(a, net.rng.normal(0, 0.3, (8, 1, 3, 3)).astype(np.float32), group=8, name="dw")
    six = (np.array(0.0, np.float32), np.array(1.0, np.float32))
    total = net.op("Clip", net.op("Add", deep, a, name="add"), name="clip", constants=six)
    both = net.op("Concat", total, net.op("Transpose", total, perm=[0, 1, 3, 2], name="t"), axis=1, name="cat")
    flat = net.op("Reshape", net.op("AveragePool", both, kernel_shape=[4, 4], name="p"), constants=(np.array([1, 16]),))
    weight, bias = net.rng.normal(0, 0.5, (16, 5)).astype(np.float32), np.linspace(-1, 1, 5).astype(np.float32)
    logits = net.gemm(flat, weight, bias)
    best = net.op("ArgMax", logits, axis=-1, name="am")
    best.type = ir.TensorType(ir.DataType.INT64)
    net.output(logits, net.op("Softmax", logits, axis=-1, name="s"), best)
    return net


@pytest.mark.parametrize("recipe", [None, ASYMMETRIC], ids=["symmetric", "asymmetric"])
def test_exact_follows_qdq_layer_by_layer(recipe: Recipe | None) -> None:
    qdq, model = lowered(residual(), (1, 3, 8, 8), recipe)
    graph = read_exact(model)
    assert (graph.inputs, graph.outputs) == (("x",), tuple(v.name for v in qdq.graph.outputs))
    for index in range(3):
        check_layers(qdq, model, {"x": feeds((1, 3, 8, 8))["x"][index]})


def test_exact_model_is_valid_and_anonymous() -> None:
    net = residual()
    model = net.model()
    quantize(model, feeds((1, 3, 8, 8)))
    model.producer_name, model.doc_string = "torch", "/home/somebody/net.py"
    model.metadata_props["path"] = "/home/somebody"
    lower(model)
    check_stage(model, Stage.EXACT)
    proto = ir.to_proto(model)
    onnx.checker.check_model(proto, full_check=True)
    assert proto.ir_version >= 10 and not proto.producer_name
    assert b"somebody" not in proto.SerializeToString()


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (ir.to_proto(lowered(residual(), (1, 3, 8, 8))[1]).SerializeToString() for _ in range(2))
    assert first == second


def test_layers_keep_names_and_sources() -> None:
    found = layers(lowered(residual(), (1, 3, 8, 8))[1])
    assert {"c1", "m", "dw", "add", "t", "cat", "p", "s", "am"} <= found.keys()
    assert found["c1"].source == "net.py:1, net.py:2" and found["m"].source == "net.py:3"
    assert found["add"].kind == "Add" and "clip" not in found and "r1" not in found


def test_relu_and_clip_become_the_clamp() -> None:
    found = layers(lowered(residual(), (1, 3, 8, 8))[1])
    graph: ExactGraph = read_exact(lowered(residual(), (1, 3, 8, 8))[1])
    assert (found["c1"].ending.lo, found["c1"].ending.hi) == (0, 255)
    scale = graph.tensors[found["add"].output].scale
    assert found["add"].requant.hi == min(255, round(1.0 / scale))
    negative = layers(lowered(residual(), (1, 3, 8, 8), ASYMMETRIC)[1])["dw"]
    assert negative.ending.zero_point > 0 and negative.ending.lo == 0


def test_a_lone_relu_of_several_consumers_is_requantized() -> None:
    net = Canonical(2)
    y = net.conv(net.input("x", (1, 3, 4, 4)), 4, name="c")
    net.output(net.op("Relu", y, name="r"), net.op("Clip", y, name="k", constants=(np.float32(-0.5), np.float32(0.25))))
    qdq, model = lowered(net, (1, 3, 4, 4))
    found = layers(model)
    assert (found["r"].kind, found["k"].kind) == ("Requantize", "Requantize")
    check_layers(qdq, model, {"x": feeds((1, 3, 4, 4))["x"][0]})


def test_weights_beside_uint8_are_stored_as_uint8_and_read_back_signed() -> None:
    qdq, model = lowered(residual(), (1, 3, 8, 8))
    stored = qdq.graph.initializers["dw.c0_q"].const_value.numpy()  # type: ignore[union-attr]
    assert model.graph.initializers["dw/weight"].const_value.numpy().dtype == np.uint8  # type: ignore[union-attr]
    assert model.graph.initializers["c1/weight"].const_value.numpy().dtype == np.int8  # type: ignore[union-attr]
    found = layers(model)["dw"]
    assert isinstance(found, exact.Conv)
    np.testing.assert_array_equal(found.weight, stored)


def scaled(model: ir.Model, name: str, scale: float) -> None:
    value = model.graph.initializers[name]
    assert value.const_value is not None
    value.const_value = ir.tensor(np.full(value.const_value.shape.numpy(), scale, np.float32), name=name)


def test_every_layer_without_multipliers_is_refused_at_once() -> None:
    net = Canonical(3)
    y = net.conv(net.conv(net.input("x", (1, 3, 4, 4)), 4, name="c1"), 4, name="c2")
    net.output(net.op("Add", y, y, name="sum"))
    model = net.model()
    quantize(model, feeds((1, 3, 4, 4)))
    scaled(model, "c1.out_scale", 1e-30)
    scaled(model, "sum.out_scale", 1e-30)
    with pytest.raises(TinsmithError) as caught:
        LowerExact()(model)
    text = str(caught.value)
    assert "Conv 'c1'" in text and "Add 'sum'" in text and "net.py:3" in text
    assert all(problem.why and problem.fix for problem in caught.value.problems)


def test_a_bias_past_int32_is_refused() -> None:
    net = Canonical(4)
    net.output(net.conv(net.input("x", (1, 3, 4, 4)), 4, name="c1", bias=np.full(4, 1000, np.float32)))
    model = net.model()
    quantize(model, feeds((1, 3, 4, 4)))
    scaled(model, "c1.c0_scale", 1e-9)
    with pytest.raises(TinsmithError, match=r"Conv 'c1' \(net.py:1\): the bias of channel 0"):
        LowerExact()(model)


def test_an_accumulator_that_cannot_be_proved_is_refused() -> None:
    net = Canonical(5)
    weight = np.linspace(0.9, 1, 80_000, dtype=np.float32).reshape(40_000, 2)
    net.output(net.gemm(net.input("x", (1, 40_000)), weight, np.zeros(2, np.float32), name="fc"))
    model = net.model()
    quantize(model, feeds((1, 40_000), 2))
    with pytest.raises(TinsmithError, match=r"MatMul 'fc' \(net.py:1\): its sums can reach"):
        LowerExact()(model)
