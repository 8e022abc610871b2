"""The QDQ form that the quantize pass leaves: what it looks like, and that it computes what it should."""

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
import pytest
from canonical_models import Canonical
from tinsmith.errors import TinsmithError
from tinsmith.ir.provenance import LAYER, SOURCE
from tinsmith.ir.stages import Stage, check_stage
from tinsmith.numerics.float_run import FloatRun
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import parse_recipe


def samples(shape: tuple[int, ...], count: int = 16, name: str = "x") -> dict[str, np.ndarray]:
    return {name: np.random.default_rng(7).normal(0, 1, (count, *shape)).astype(np.float32)}


def numbers(model: ir.Model, name: str) -> np.ndarray:
    return model.graph.initializers[name].const_value.numpy()


def grid(model: ir.Model, value: str) -> tuple[float, int, str]:
    zero = numbers(model, f"{value}_zero_point")
    return float(numbers(model, f"{value}_scale")), int(zero), str(zero.dtype)


def run(model: ir.Model, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(ir.to_proto(model).SerializeToString(), options).run(None, feeds)


def residual_net() -> ir.Model:
    """Conv+Relu, MaxPool, two branches added, Relu, AveragePool, Reshape, Gemm, Softmax."""
    net = Canonical(1)
    x = net.input("x", (1, 3, 8, 8))
    a = net.op("MaxPool", net.op("Relu", net.conv(x, 8, name="c1"), name="r1"), kernel_shape=[2, 2], strides=[2, 2])
    a.shape, a.type = ir.Shape((1, 8, 4, 4)), ir.TensorType(ir.DataType.FLOAT)
    total = net.op("Relu", net.op("Add", net.conv(a, 8, name="c2"), a, name="add"), name="r2")
    pooled = net.op("AveragePool", total, kernel_shape=[4, 4], name="pool")
    flat = net.op("Reshape", pooled, constants=(np.array([1, 8]),), name="flat")
    weight = net.rng.normal(0, 0.5, (8, 5)).astype(np.float32)
    logits = net.gemm(flat, weight, np.linspace(-1, 1, 5).astype(np.float32), name="fc")
    probabilities = net.op("Softmax", logits, axis=-1, name="softmax")
    net.output(probabilities)
    return net.model()


def test_residual_net_is_valid_qdq_and_close_to_float() -> None:
    model, feeds = residual_net(), samples((1, 3, 8, 8))
    float_run = FloatRun(model, ["softmax.out"])
    quantize(model, feeds)
    onnx.checker.check_model(ir.to_proto(model), full_check=True)
    check_stage(model, Stage.QUANTIZED)
    for index in range(16):
        sample = {"x": feeds["x"][index]}
        real = float_run.run(sample)["softmax.out"]
        assert np.abs(run(model, sample)[0] - real).max() < 0.02


def test_each_group_has_one_pair_and_movers_share_parameters() -> None:
    model = residual_net()
    quantize(model, samples((1, 3, 8, 8)))
    quantized = [n.inputs[0].producer() for n in model.graph if n.op_type == "QuantizeLinear"]
    assert [n.op_type if n else "input" for n in quantized] == [
        *("input", "Relu", "MaxPool", "Conv", "Relu", "AveragePool", "Reshape", "Gemm")
    ]
    assert grid(model, "x")[2] == "int8"
    assert grid(model, "maxpool_2.out") == grid(model, "r1.out")
    assert grid(model, "r1.out")[1:] == (0, "uint8")
    assert grid(model, "pool.out")[1:] == (0, "uint8")
    assert grid(model, "flat.out") == grid(model, "pool.out")
    assert grid(model, "c2.out")[1:] == (0, "int8")


def test_8_bit_tensors_take_the_float_values_names_and_outputs_keep_theirs() -> None:
    net = Canonical()
    x = net.input("x", (1, 3, 4, 4))
    inner = net.op("Relu", net.conv(x, 4, name="c1"), name="r1")
    inner.shape, inner.type = ir.Shape((1, 4, 4, 4)), ir.TensorType(ir.DataType.FLOAT)
    net.output(inner, net.conv(inner, 4, name="c2"))
    model = net.model()
    quantize(model, samples((1, 3, 4, 4)))
    assert [v.name for v in model.graph.outputs] == ["r1.out", "c2.out"]
    assert {v.dtype for v in model.graph.outputs} == {ir.DataType.FLOAT}
    stored = [n.outputs[0].name for n in model.graph if n.op_type == "QuantizeLinear"]
    assert stored == ["x_q", "r1.out_q", "c2.out_q"]
    quantize(residual := residual_net(), samples((1, 3, 8, 8)))
    names = [n.outputs[0].name for n in residual.graph if n.op_type == "QuantizeLinear"]
    assert names == ["x_q", "r1.out", "maxpool_2.out", "c2.out", "r2.out", "pool.out", "flat.out", "fc.out"]


def test_every_node_keeps_a_unique_layer_name_and_its_source() -> None:
    model = residual_net()
    quantize(model, samples((1, 3, 8, 8)))
    names = [n.metadata_props[LAYER] for n in model.graph]
    assert len(set(names)) == len(names)
    assert {"c1", "c1/weight", "r1", "r1/quantize", "r1/dequantize", "x/quantize", "softmax"} <= set(names)
    by_name = {n.metadata_props[LAYER]: n for n in model.graph}
    assert by_name["c1/weight"].metadata_props[SOURCE] == "net.py:1"
    assert by_name["r1/quantize"].metadata_props[SOURCE] == "net.py:2"


def test_weights_are_int8_per_output_channel_without_minus_128() -> None:
    model = residual_net()
    before = {name: model.graph.initializers[name].const_value.numpy() for name in ("c1.c0", "fc.c0")}
    quantize(model, samples((1, 3, 8, 8)))
    for name, shape, axis in (("c1.c0", (-1, 1, 1, 1), 0), ("fc.c0", (1, -1), 1)):
        stored, scale = numbers(model, f"{name}_q"), numbers(model, f"{name}_scale")
        assert stored.dtype == np.int8 and stored.min() >= -127
        assert (np.abs(stored.astype(int)).max(axis=tuple(i for i in range(stored.ndim) if i != axis)) == 127).all()
        error = np.abs(stored * scale.reshape(shape) - before[name])
        assert (error <= scale.reshape(shape) * 0.5001).all()
        assert name not in model.graph.initializers


def test_activation_is_absorbed_only_as_the_sole_use() -> None:
    net = Canonical()
    x = net.input("x", (1, 3, 4, 4))
    both = net.conv(x, 4, name="c1")
    lone = net.op("Relu", both, name="lone")
    lone.shape, lone.type = both.shape, both.type
    net.output(net.op("Add", both, lone, name="sum"))
    model = net.model()
    quantize(model, samples((1, 3, 4, 4)))
    producers = [n.inputs[0].producer() for n in model.graph if n.op_type == "QuantizeLinear"]
    assert [p.op_type for p in producers if p] == ["Conv", "Relu", "Add"]
    relu = next(n for n in model.graph if n.op_type == "Relu")
    assert relu.inputs[0].producer().op_type == "DequantizeLinear"


def test_clip_that_starts_above_zero_is_unsigned_and_one_that_starts_below_is_not() -> None:
    net = Canonical()
    x = net.input("x", (1, 3, 4, 4))
    low, six = np.array(-1, np.float32), np.array(6, np.float32)
    a = net.op("Clip", net.conv(x, 4, name="c1"), name="relu6", constants=(np.array(0, np.float32), six))
    b = net.op("Clip", net.conv(x, 4, name="c2"), name="hardtanh", constants=(low, six))
    net.output(a, b)
    model = net.model()
    quantize(model, samples((1, 3, 4, 4)))
    assert grid(model, "relu6.out")[2] == "uint8"
    assert grid(model, "hardtanh.out")[2] == "int8"


def test_concat_gives_all_its_inputs_one_grid_that_holds_each() -> None:
    net = Canonical()
    x = net.input("x", (1, 3, 4, 4))
    small = net.op("Relu", net.conv(x, np.full((2, 3, 1, 1), 0.1, np.float32), name="c1"), name="small")
    large = net.conv(x, np.full((2, 3, 1, 1), 10, np.float32), name="large")
    for value in (small, large):
        value.shape, value.type = ir.Shape((1, 2, 4, 4)), ir.TensorType(ir.DataType.FLOAT)
    moved = net.op("Transpose", net.op("Concat", small, large, axis=1, name="cat"), perm=[0, 2, 3, 1], name="moved")
    net.output(moved)
    model, feeds = net.model(), samples((1, 3, 4, 4))
    reach = max(float(np.abs(FloatRun(model, ["large.out"]).run({"x": s})["large.out"]).max()) for s in feeds["x"])
    quantize(model, feeds, parse_recipe({"calibrator": "min-max"}))
    assert len({grid(model, name) for name in ("small.out", "large.out", "cat.out", "moved.out")}) == 1
    scale, zero, kind = grid(model, "cat.out")
    assert (zero, kind) == (0, "int8") and reach / 128.01 <= scale <= reach / 126.9


def test_inputs_that_are_never_negative_are_unsigned() -> None:
    net = Canonical()
    net.output(net.conv(net.input("x", (1, 3, 4, 4)), 4, name="c1"))
    model = net.model()
    quantize(model, {"x": np.abs(samples((1, 3, 4, 4))["x"])})
    assert grid(model, "x")[1:] == (0, "uint8")


def test_asymmetric_layers_get_a_zero_point_and_others_do_not() -> None:
    net = Canonical()
    x = net.input("x", (1, 3, 4, 4))
    y = net.conv(x, 4, name="c1", bias=np.full(4, 2, np.float32))
    net.output(net.conv(y, 4, name="c2"))
    model, feeds = net.model(), samples((1, 3, 4, 4))
    float_run = FloatRun(model, ["c2.out"])
    quantize(model, feeds, parse_recipe({"layers": {"c1": {"asymmetric": True}}}))
    assert grid(model, "c1.out")[2] == "uint8" and 0 < grid(model, "c1.out")[1] < 128
    assert grid(model, "c2.out")[1:] == (0, "int8")
    sample = {"x": feeds["x"][0]}
    real = float_run.run(sample)["c2.out"]
    assert np.abs(run(model, sample)[0] - real).max() < 0.03 * np.abs(real).max()


def test_recipe_overrides_range_and_weight_scales_by_pattern() -> None:
    model = residual_net()
    table = {"layers": {"c*": {"weights": "per-tensor"}, "r2": {"range": [0.0, 5.1]}, "x": {"range": [-12.7, 1.0]}}}
    quantize(model, samples((1, 3, 8, 8)), parse_recipe(table))
    assert grid(model, "r2.out") == (pytest.approx(0.02), 0, "uint8")
    assert grid(model, "x")[0] == pytest.approx(12.7 / 128)
    assert len(set(numbers(model, "c1.c0_scale"))) == 1
    assert len(set(numbers(model, "fc.c0_scale"))) == 5


def test_a_pattern_that_matches_nothing_names_the_nearest_layers() -> None:
    model = residual_net()
    nodes = [n.name for n in model.graph]
    with pytest.raises(TinsmithError, match="softmx") as caught:
        quantize(model, samples((1, 3, 8, 8)), parse_recipe({"layers": {"softmx": {}, "c1": {}, "pol": {}}}))
    assert len(caught.value.problems) == 2
    assert "'pool'" in caught.value.problems[1].fix
    assert [n.name for n in model.graph] == nodes


def test_activations_that_overflow_are_reported_by_name() -> None:
    net = Canonical()
    y = net.conv(net.input("x", (1, 1, 2, 2)), np.full((1, 1, 1, 1), 1e30, np.float32), name="c1")
    net.output(net.conv(y, np.full((1, 1, 1, 1), 1e30, np.float32), name="c2"))
    with pytest.raises(TinsmithError, match=r"c2\.out"):
        quantize(net.model(), samples((1, 1, 2, 2)))


def test_shared_weights_are_quantized_for_each_layer() -> None:
    net = Canonical()
    x = net.input("x", (1, 3, 4, 4))
    shared = net.constant(net.rng.normal(0, 1, (3, 3, 1, 1)).astype(np.float32), "shared")
    bias = net.constant(np.zeros(3, np.float32), "bias")
    y = net.op("Relu", net.op("Conv", x, shared, bias, name="c1"), name="r1")
    net.output(net.op("Conv", y, shared, bias, name="c2"))
    model, feeds = net.model(), samples((1, 3, 4, 4))
    float_run = FloatRun(model, ["c2.out"])
    quantize(model, feeds)
    sample = {"x": feeds["x"][0]}
    real = float_run.run(sample)["c2.out"]
    assert np.abs(run(model, sample)[0] - real).max() < 0.03 * np.abs(real).max()
    assert {"bias"} <= set(model.graph.initializers) and "shared" not in model.graph.initializers


def test_the_same_input_gives_the_same_bytes() -> None:
    feeds = samples((1, 3, 8, 8))
    models = [residual_net(), residual_net()]
    for model in models:
        quantize(model, feeds)
    first, second = (ir.to_proto(model).SerializeToString(deterministic=True) for model in models)
    assert first == second
