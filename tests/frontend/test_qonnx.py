"""QONNX files, as Brevitas exports them: values, weights and grids arrive as they were trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir
import pytest
from float_models import run, weights
from qonnx_models import F32, Qonnx, quantized
from tinsmith import pipeline
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize, load
from tinsmith.frontend.prepare import prepare
from tinsmith.ir import exact
from tinsmith.ir.provenance import layer_name, source
from tinsmith.ir.reader import read_exact
from tinsmith.ir.warnings import warnings_of
from tinsmith.numerics.float_run import FloatRun
from tinsmith.verify.oracle import Oracle

Array = npt.NDArray[Any]
DATA = Path(__file__).parents[2] / "../shared/data"


def loaded(proto: onnx.ModelProto, folder: Path) -> ir.Model:
    onnx.save(proto, folder / "net.onnx")
    return load(folder / "net.onnx")


def lowered(proto: onnx.ModelProto, folder: Path, samples: Array) -> tuple[ir.Model, exact.ExactGraph]:
    """The exact model of a file, calibrated with `samples` (n, 1, …)."""
    onnx.save(proto, folder / "net.onnx")
    model = ir.load(pipeline.quantize(folder / "net.onnx", {"x": samples}, folder / "exact.onnx"))
    return model, read_exact(model)


def ops(model: ir.Model) -> list[str]:
    return [node.op_type for node in model.graph]


def around_steps(scale: float) -> Array:
    """Values on both sides of every step and of every halfway point, ties included, and far outside."""
    halves = np.arange(-300, 301, dtype=F32) * F32(0.5) * F32(scale)
    return np.concatenate([halves, np.nextafter(halves, F32(np.inf)), np.nextafter(halves, F32(-np.inf)), [-1e9, 1e9]])


@pytest.mark.parametrize("op", ["Quant", "IntQuant"])
@pytest.mark.parametrize("bits", range(1, 9))
def test_values_are_quantized_as_qonnx_does(op: str, bits: int, tmp_path: Path) -> None:
    for signed, narrow, scale in ((1, 0, 0.25), (1, 1, 0.1), (0, 0, 0.1), (0, 1, 3.0)):
        if (signed, bits) == (0, 1) and narrow:
            continue
        net = Qonnx()
        y = net.quant("x", scale, bits, op=op, signed=signed, narrow=narrow, rounding_mode="round")
        x = around_steps(scale).astype(F32)[None]
        model = loaded(net.model(x.shape, y), tmp_path)
        (got,) = run(ir.to_proto(model), {"x": x})
        np.testing.assert_array_equal(got, quantized(x, scale, bits, signed=bool(signed), narrow=bool(narrow)))


def test_bipolar_values() -> None:
    """At 0 the sign is +1, of both zeros."""
    x = np.array([[-1, -1e-45, -0.0, 0.0, 1e-45, 2]], F32)
    for scale in (1.0, 0.3):
        net = Qonnx("onnx.brevitas")
        model = net.model(x.shape, net.bipolar("x", [scale]))
        (got,) = run(prepare(model, {}, "net.onnx", None), {"x": x})
        np.testing.assert_array_equal(got, np.where(x >= 0, F32(scale), F32(-scale)))


def small_network(bits: int) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """Convolution, depthwise, product, with weights and activations of `bits`; the whole numbers of its weights."""
    rng = np.random.default_rng(bits)
    top = max(2 ** (bits - 1) - 1, 1)
    scales = {"stem": F32(0.37 / top), "depth": rng.uniform(0.1, 2, (6, 1, 1, 1)).astype(F32), "head": F32(0.5)}
    shapes = {"stem": (6, 3, 3, 3), "depth": (6, 1, 3, 3), "head": (5, 54)}
    steps = {k: rng.integers(-top, top + 1, s) for k, s in shapes.items()}
    for k in steps:
        steps[k].reshape(len(steps[k]), -1)[:, :2] = [1, top]  # no channel could do with fewer steps
    w = {k: (steps[k] + rng.uniform(-0.4, 0.4, shapes[k])).astype(F32) * scales[k] for k in steps}
    net = Qonnx()
    x = net.quant("x", 1 / 64, 8)
    weight = net.quant(w["stem"], scales["stem"], bits, narrow=1)
    x = net.op("Conv", x, weight, rng.normal(size=6).astype(F32), pads=[1, 1, 1, 1], strides=[2, 2], output="stem")
    statistics = [rng.uniform(0.5, 1.5, 6).astype(F32) * (-1 if i == 0 else 1) for i in range(4)]
    x = net.op("Relu", net.op("BatchNormalization", x, *statistics, output="norm"))
    x = net.op("MaxPool", net.quant(x, 0.6 / 2**bits, bits, signed=0), kernel_shape=[2, 2], strides=[1, 1])
    x = net.op("Conv", x, net.quant(w["depth"], scales["depth"], bits, narrow=1), group=6, pads=[1] * 4, output="depth")
    x = net.op("Flatten", net.quant(net.op("Mul", x, F32(0.1)), 0.5, bits))
    weight = net.op("Transpose", net.quant(w["head"], scales["head"], bits, narrow=1), perm=[1, 0])
    bias = net.quant(rng.normal(size=5).astype(F32), 1e-4, 16)
    y = net.op("Add", net.op("MatMul", x, weight, output="head"), bias, output="y")
    return net.model((1, 3, 8, 8), y), steps


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_integers_and_grids_are_kept(bits: int, tmp_path: Path) -> None:
    proto, steps = small_network(bits)
    samples = np.random.default_rng(0).uniform(-2, 2, (12, 1, 3, 8, 8)).astype(F32)
    model, graph = lowered(proto, tmp_path, samples)
    layers = {layer.name.split("_")[0]: layer for layer in graph.layers if hasattr(layer, "weight")}
    found = [
        layer.weight.T if layer.kind == "MatMul" else layer.weight for layer in graph.layers if hasattr(layer, "weight")
    ]
    assert len(layers) == 2 and len(found) == 3
    for weight, wanted in zip(found, steps.values(), strict=True):
        for got, right in zip(weight.astype(int), wanted, strict=True):
            ratio = np.abs(got).max() // np.abs(right).max()
            np.testing.assert_array_equal(np.abs(got), np.abs(right) * ratio)
            assert (np.sign(got) == np.sign(right)).all() or (np.sign(got) == -np.sign(right)).all()
    first, stem, _, depth = (graph.tensors[layer.output] for layer in graph.layers[:4])
    top = 2**bits - 1
    assert (first.dtype, first.scale, first.zero_point) == ("int8", 1 / 64, 0)
    assert (stem.dtype, stem.scale, stem.lo) == ("uint8", F32(0.6 / 2**bits), 0) and stem.hi <= top
    assert (depth.dtype, depth.scale) == ("int8", 0.5) and -(2 ** (bits - 1)) <= depth.lo <= depth.hi < 2 ** (bits - 1)
    assert ["halves round up" in warning.text for warning in warnings_of(model)] == [True]
    floating = canonicalize(load(tmp_path / "net.onnx"))
    oracle, off = Oracle(model), []
    for sample in samples:
        real, got = run(ir.to_proto(floating), {"x": sample})[0], oracle.run({"x": sample})["y"]
        off.append(np.abs(real - got).max())
    step = graph.tensors[graph.layers[-1].inputs[0]].scale
    assert np.median(off) <= step, "but for halves, only the scores' own rounding is left"


def binary_network(domain: str, scale: float) -> onnx.ModelProto:
    rng = np.random.default_rng(1)
    net = Qonnx(domain)
    w = net.bipolar(rng.normal(size=(8, 3, 3, 3)).astype(F32), [0.1])
    x = net.op("Conv", net.bipolar("x", scale), w, pads=[1, 1, 1, 1])
    statistics = [rng.normal(size=8).astype(F32), *(rng.uniform(0.5, 1.5, 8).astype(F32) for _ in range(3))]
    x = net.op("MaxPool", net.op("BatchNormalization", x, *statistics), kernel_shape=[2, 2], strides=[2, 2])
    x = net.op("Flatten", net.bipolar(x, scale))
    w = net.op("Transpose", net.bipolar(rng.normal(size=(6, 128)).astype(F32), scale), perm=[1, 0])
    x = net.op("Div", net.op("Sub", net.op("MatMul", x, w), F32([0.4])), F32([1.7]))
    w = net.quant(rng.normal(size=(4, 6)).astype(F32), 0.7, 1)
    return net.model((1, 3, 8, 8), net.op("Gemm", net.bipolar(x), w, transB=1, output="y"))


@pytest.mark.parametrize(("domain", "scale"), [("qonnx.custom_op.general", 0.25), ("onnx.brevitas", 1.0)])
def test_binary_networks(domain: str, scale: float, tmp_path: Path) -> None:
    imported = loaded(binary_network(domain, scale), tmp_path)
    x = np.random.default_rng(3).normal(size=(20, 1, 3, 8, 8)).astype(F32)
    before = [run(ir.to_proto(imported), {"x": sample})[0] for sample in x]
    model = canonicalize(imported)
    conv = ["Binarize", "BinaryConv", "Binarize", "MaxPool"]
    assert [op for op in ops(model) if op != "Mul"] == [*conv, "Reshape", "BinaryGemm", "Binarize", "BinaryGemm"]
    assert all(node.attributes["pad_value"].as_int() == 0 for node in model.graph if node.op_type == "BinaryConv")
    for sample, wanted in zip(x, before, strict=True):
        np.testing.assert_allclose(run(ir.to_proto(model), {"x": sample})[0], wanted, rtol=1e-5, atol=1e-5)
    lowered_model, graph = lowered(binary_network(domain, scale), tmp_path, x)
    assert [layer.kind for layer in graph.layers if hasattr(layer, "weight")] == ["BinaryConv", *["BinaryMatMul"] * 2]
    signs = 2.0 * (np.concatenate(x) >= 0) - 1
    oracle = Oracle(lowered_model)
    for sample, sign, wanted in zip(x, signs, before, strict=True):
        if (oracle.run({"x": sample})[graph.layers[1].output] == sign).all():  # 8 bits of the input keep its signs
            got = oracle.run({"x": sample})["y"]
            assert np.abs(got - wanted).max() <= graph.tensors[graph.layers[-1].inputs[0]].scale


def test_a_flipped_sign_is_seen(tmp_path: Path) -> None:
    proto = binary_network("onnx.brevitas", 1.0)
    x = {"x": np.random.default_rng(3).normal(size=(1, 3, 8, 8)).astype(F32)}
    before = run(ir.to_proto(loaded(proto, tmp_path)), x)[0]
    weight = next(t for t in proto.graph.initializer if list(t.dims) == [4, 6])
    array = onnx.numpy_helper.to_array(weight).copy()
    array[2, 3] *= -1
    weight.CopyFrom(onnx.numpy_helper.from_array(array, weight.name))
    after = run(ir.to_proto(loaded(proto, tmp_path)), x)[0]
    assert list(np.flatnonzero(after != before)) == [2]


def test_old_files_with_weights_among_the_inputs(tmp_path: Path) -> None:
    net = Qonnx("onnx.brevitas")
    w = net.op("Transpose", net.bipolar(weights(5, 12)), perm=[1, 0])
    y = net.op("MatMul", net.bipolar(net.op("Unsqueeze", net.op("Flatten", "x"), axes=[0])), w)
    model = canonicalize(loaded(net.model((1, 3, 4), y, opset=9, constants_are_inputs=True), tmp_path))
    assert [value.name for value in model.graph.inputs] == ["x"]
    assert "BinaryGemm" in ops(model)


def test_names_and_places_stay(tmp_path: Path) -> None:
    model = loaded(small_network(4)[0], tmp_path)
    names = [layer_name(node) for node in model.graph]
    assert len(set(names)) == len(names) and all(source(node) for node in model.graph)
    assert "Quant_0" in names and "Quant_5/clipped" in names


def test_grids_that_meet_in_a_concat(tmp_path: Path) -> None:
    net = Qonnx()
    a, b = net.quant("x", 0.1, 4), net.quant(net.op("Relu", "x"), 0.2, 4)
    proto = net.model((1, 2, 4, 4), net.op("Concat", a, b, axis=1))
    with pytest.raises(TinsmithError, match=r"Concat_3.*joins values of several grids"):
        lowered(proto, tmp_path, np.ones((2, 1, 2, 4, 4), F32))


def test_a_grid_behind_a_pool_and_at_the_end(tmp_path: Path) -> None:
    """A second grid of the same value is a layer of its own; the last one makes the output."""
    net = Qonnx()
    x = net.op("MaxPool", net.quant("x", 0.01, 8), kernel_shape=[2, 2], strides=[2, 2])
    proto = net.model((1, 2, 4, 4), net.quant(x, 0.25, 3, signed=0))
    samples = np.random.default_rng(0).uniform(-1, 1.2, (4, 1, 2, 4, 4)).astype(F32)
    model, graph = lowered(proto, tmp_path, samples)
    assert [layer.kind for layer in graph.layers] == ["Quantize", "MaxPool", "Requantize", "Dequantize"]
    for sample in samples:
        eighths = quantized(sample, 0.01, 8).reshape(1, 2, 2, 2, 2, 2).max((3, 5))
        wanted, got = quantized(eighths, 0.25, 3, signed=False), Oracle(model).run({"x": sample})[graph.outputs[0]]
        ties = np.isclose(eighths / 0.25 % 1, 0.5)
        np.testing.assert_array_equal(got[~ties], wanted[~ties])


@pytest.mark.parametrize("threshold", [0.5, -0.3, 0.0])
def test_without_samples(threshold: float, tmp_path: Path) -> None:
    """Ranges follow from bits, grids and weights; an input that is only compared decides as its real value does."""
    net = Qonnx()
    bits = net.bipolar(net.op("Sub", "x", F32(threshold)))
    y = net.op("MatMul", bits, net.bipolar(weights(9, 4)))
    onnx.save(net.model((1, 9), y), tmp_path / "net.onnx")
    model = ir.load(pipeline.quantize(tmp_path / "net.onnx", None, tmp_path / "exact.onnx"))
    oracle, graph = Oracle(model), read_exact(model)
    t = F32(threshold)
    x = F32([[t, np.nextafter(t, F32(9)), t + F32(1e-6), t - F32(1e-6), t + 1, t - 1, 9e9, -9e9, 0.01 + t]])
    found = oracle.run({"x": x})
    np.testing.assert_array_equal(found[graph.layers[1].output], np.where(x >= t, 1, -1))
    step = graph.tensors[graph.layers[-1].inputs[0]].scale
    assert step <= 9 / 127 * 1.001 and len(warnings_of(model)) == 1
    (wanted,) = run(prepare(onnx.load(tmp_path / "net.onnx"), {}, "net.onnx", None), {"x": x})
    np.testing.assert_allclose(found[y], wanted, atol=step / 2)


def test_samples_are_asked_for_where_nothing_is_known(tmp_path: Path) -> None:
    net = Qonnx()
    y = net.op("Conv", net.op("Relu", "x"), net.quant(np.ones((1, 2, 1, 1), F32), 0.5, 4))
    onnx.save(net.model((1, 2, 4, 4), y), tmp_path / "net.onnx")
    with pytest.raises(TinsmithError, match=r"no calibration samples(.|\n)*input 'x', Relu 'Relu_0'"):
        pipeline.quantize(tmp_path / "net.onnx", None, tmp_path / "exact.onnx")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "rounding": ({"rounding_mode": "FLOOR"}, "its rounding mode is FLOOR"),
    "zero point": ({"zero": 3}, "its zero point is 3"),
    "many bits": ({"bits": 12}, "its bit width is 12"),
    "no bits": ({"bits": 0}, "its bit width is 0"),
    "half a bit": ({"bits": 2.5}, "its bit width is 2.5"),
    "scale of zero": ({"scale": 0}, "its scale is 0"),
    "scales of channels": ({"scale": [[0.1], [0.2]]}, r"its scale has shape \[2, 1\]"),
}


def test_everything_that_is_refused_is_told_at_once(tmp_path: Path) -> None:
    net, names = Qonnx(), []
    x = "x"
    for changes, _ in REFUSED.values():
        names.append(f"Quant_{len(net.nodes)}")
        x = net.quant(x, **{"scale": 0.5} | changes)
    x = net.op("Quant", x, net.op("Relu", "x"), F32(0), F32(4), domain=net.domain, signed=1, narrow=0)
    x = net.op("Trunc", x, F32(1), F32(0), F32(8), F32(4), domain=net.domain)
    x = net.op("BipolarQuant", x, domain=net.domain)
    x = net.op("MatMul", x, net.quant(np.full((4, 3), -64, F32), 0.5, 8))
    x = net.op("MatMul", x, net.quant(weights(3, 3), [[1], [2], [3]], 4))
    with pytest.raises(TinsmithError) as caught:
        loaded(net.model((1, 4), x), tmp_path)
    told = [str(problem) for problem in caught.value.problems]
    for name, (_, words) in zip(names, REFUSED.values(), strict=True):
        assert any(re.match(f"Quant {name!r}: {words}", text) for text in told), (words, told)
    for words in (
        "its scale is not a constant",
        "Trunc 'Trunc_",
        "inputs are missing",
        "a weight is -128",
        "its scale has shape [3, 1]",
    ):
        assert any(words in text for text in told), (words, told)
    assert all(problem.why and problem.fix for problem in caught.value.problems)


@pytest.mark.skipif(not DATA.exists(), reason=f"the trained network is not at {DATA}")
def test_the_network_of_the_model_zoo(tmp_path: Path) -> None:
    """1000 of MNIST's test images: the file, its canonical form and the integers predict the same."""
    with np.load(DATA / "mnist_test10k.npz") as archive:
        images, labels = archive["x"][:1000, None, None].astype(F32) / F32(255), archive["y"][:1000]
    imported = load(DATA / "qonnx_mnist_TFC_1W1A.onnx")
    (name,) = (value.name or "" for value in imported.graph.inputs)
    file = pipeline.quantize(DATA / "qonnx_mnist_TFC_1W1A.onnx", {name: images[:64]}, tmp_path / "exact.onnx")
    oracle, graph = Oracle(file), read_exact(ir.load(file))
    kinds = ["Quantize", "Reshape", "Binarize", *["BinaryMatMul"] * 4, "Dequantize"]
    assert [layer.kind for layer in graph.layers] == kinds
    floating, (output,) = FloatRun(imported), graph.outputs
    real = np.array([floating.run({name: x})[output].argmax() for x in images])
    got = np.array([oracle.run({name: x})[output].argmax() for x in images])
    np.testing.assert_array_equal(got, real)
    assert (got == labels).mean() >= 0.91
