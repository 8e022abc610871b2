"""Functions of one value: found whatever they are made of, and tabulated to the nearest step."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from exact_check import check_layers
from float_models import Array, model, run, sample, weights
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize, load
from tinsmith.ir.reader import read_exact
from tinsmith.passes.lower_exact import lower
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import parse_recipe

CONV = weights(5, 4, 3, 3) / 4


def number(value: float) -> Array:
    return np.asarray(value, np.float32)


def softplus(v: float) -> float:
    return max(v, 0) + math.log1p(math.exp(-abs(v)))


def expm1(v: float) -> float:
    return math.exp(min(v, 0)) - 1


K = {"half": number(0.5), "one": number(1), "two": number(2), "three": number(3), "six": number(6), "nil": number(0)}
ROOT, SLOPE = float(np.float32(1.41421354)), float(np.float32(0.3))
GELU = "d = Div (x, root)\n e = Erf (d)\n f = Add (e, one)\n g = Mul (x, f)\n y = Mul (g, half)"
CURVES: dict[str, tuple[str, Callable[[float], float]]] = {
    "sigmoid": ("y = Sigmoid (x)", lambda v: 1 / (1 + math.exp(-v))),
    "tanh": ("y = Tanh (x)", math.tanh),
    "silu": ("s = Sigmoid (x)\n y = Mul (x, s)", lambda v: v / (1 + math.exp(-v))),
    "silu, turned": ("s = Sigmoid (x)\n y = Mul (s, x)", lambda v: v / (1 + math.exp(-v))),
    "gelu": (GELU, lambda v: v * (math.erf(v / ROOT) + 1) / 2),
    "hard swish": ("y = HardSwish (x)", lambda v: v * min(max(v / 6 + 0.5, 0), 1)),
    "hard swish in parts": (
        "a = Add (x, three)\n b = Clip (a, nil, six)\n c = Mul (x, b)\n y = Div (c, six)",
        lambda v: v * min(max(v + 3, 0), 6) / 6,
    ),
    "hard sigmoid": ("y = HardSigmoid <alpha=0.25> (x)", lambda v: min(max(v / 4 + 0.5, 0), 1)),
    "elu": ("y = Elu (x)", lambda v: v if v > 0 else expm1(v)),
    "celu": ("y = Celu <alpha=2.0> (x)", lambda v: v if v > 0 else 2 * expm1(v / 2)),
    "selu": ("y = Selu <alpha=2.0, gamma=0.5> (x)", lambda v: 0.5 * (v if v > 0 else 2 * expm1(v))),
    "softplus": ("y = Softplus (x)", softplus),
    "softsign in parts": ("a = Abs (x)\n b = Add (one, a)\n y = Div (x, b)", lambda v: v / (1 + abs(v))),
    "softsign": ("y = Softsign (x)", lambda v: v / (1 + abs(v))),
    "mish": ("y = Mish (x)", lambda v: v * math.tanh(softplus(v))),
    "mish in parts": ("p = Softplus (x)\n t = Tanh (p)\n y = Mul (x, t)", lambda v: v * math.tanh(softplus(v))),
    "softplus with a threshold": (
        "g = Greater (x, two)\n p = Softplus (x)\n y = Where (g, x, p)",
        lambda v: v if v > 2 else softplus(v),
    ),
    "square": ("y = Mul (x, x)", lambda v: v * v),
    "power": ("y = Pow (x, three)", lambda v: v**3),
    "exponential": ("y = Exp (x)", math.exp),
    "reciprocal": ("e = Exp (x)\n a = Add (e, one)\n y = Div (one, a)", lambda v: 1 / (math.exp(v) + 1)),
    "log of a sigmoid": ("s = Sigmoid (x)\n y = Log (s)", lambda v: -softplus(-v)),
    "root": ("a = Abs (x)\n y = Sqrt (a)", lambda v: math.sqrt(abs(v))),
    "chain": (
        "a = Tanh (x)\n b = Mul (a, two)\n c = Sub (one, b)\n d = Sigmoid (c)\n y = LeakyRelu <alpha=0.3> (d)",
        lambda v: 1 / (1 + math.exp(-(1 - 2 * math.tanh(v)))),
    ),
    "leaky": ("a = LeakyRelu <alpha=0.3> (x)\n y = Tanh (a)", lambda v: math.tanh(v if v > 0 else SLOPE * v)),
    "least and most": ("a = Max (x, one)\n b = Neg (x)\n y = Min (a, b)", lambda v: min(max(v, 1), -v)),
}


def canonical(proto: onnx.ModelProto, folder: Path) -> ir.Model:
    onnx.save(proto, folder / "net.onnx")
    return canonicalize(load(folder / "net.onnx"))


def constants(body: str) -> dict[str, Array]:
    return {name: value for name, value in {**K, "root": number(ROOT)}.items() if name in body}


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("case", CURVES)
def test_a_table_has_the_nearest_results(case: str, asymmetric: bool, tmp_path: Path) -> None:
    body, real = CURVES[case]
    proto = model(body, x=(1, 3, 16, 16), **constants(body))
    m = canonical(proto, tmp_path)
    assert len(m.graph) == 1
    feeds = {"x": np.random.default_rng(1).uniform(-4, 5, (4, 1, 3, 16, 16)).astype(np.float32)}
    for a, b in zip(run(ir.to_proto(m), {"x": feeds["x"][0]}), run(proto, {"x": feeds["x"][0]}), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    quantize(m, feeds, parse_recipe({"asymmetric": asymmetric}))
    qdq = m.clone()
    lower(m)
    graph = read_exact(m)
    _, layer, _ = graph.layers
    x, y = graph.tensors[layer.inputs[0]], graph.tensors[layer.output]
    limits = {"uint8": (0, 255), "int8": (-128, 127)}[y.dtype]
    for stored in range(x.lo, x.hi + 1):
        steps = real((stored - x.zero_point) * x.scale) / y.scale + y.zero_point
        near = {math.floor(steps + 0.5 - 1e-9), math.floor(steps + 0.5 + 1e-9)}
        assert layer.table[stored % 256] in {min(max(v, limits[0]), limits[1]) for v in near}, stored  # type: ignore[attr-defined]
    check_layers(qdq, m, {"x": feeds["x"][0]})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("c = Conv (x, w)\n s = Sigmoid (c)\n y = Mul (c, s)", "Conv Sigmoid_Mul"),
        ("c = Conv (x, w)\n r = Relu (c)\n y = Tanh (r)", "Conv Relu Tanh"),
        ("c = Conv (x, w)\n a = Mul (c, two)\n r = Relu (a)\n b = Add (r, one)\n y = Tanh (b)", "Conv Relu Add_Tanh"),
        ("c = Conv (x, w)\n s = Sigmoid (c)\n m = MaxPool <kernel_shape=[2,2]> (s)\n z = Add (s, s)\n y = Tanh (m)",
         "Conv Sigmoid MaxPool Tanh"),
        # what else is read ends a curve: two tables, and a product of two tensors
        ("c = Conv (x, w)\n s = Sigmoid (c)\n y = Mul (c, s)\n z = MaxPool <kernel_shape=[2,2]> (s)",
         "Conv Sigmoid Mul MaxPool"),
        # no curve is near: nothing changes
        ("c = Conv (x, w)\n r = Relu (c)\n y = Add (r, c)", "Conv Relu Add"),
        # a gate: two values meet, of which one has a curve
        ("c = Conv (x, w)\n d = Conv (x, v)\n s = Sigmoid (d)\n y = Mul (c, s)", "Conv Conv Sigmoid Mul"),
    ],
)  # fmt: skip
def test_where_a_curve_begins_and_ends(body: str, expected: str, tmp_path: Path) -> None:
    outputs = "y z" if " z = MaxPool" in body else "y"
    named = {name: value for name, value in {"w": CONV, "v": -CONV}.items() if f"{name})" in body}
    proto = model(body, outputs=outputs, **constants(body), **named)
    m = canonical(proto, tmp_path)
    assert [node.op_type.removeprefix("Curve_") for node in m.graph] == expected.split()
    feeds = sample(proto)
    for a, b in zip(run(ir.to_proto(m), feeds), run(proto, feeds), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_equal_curves_are_one_function(tmp_path: Path) -> None:
    body = (
        "a = Elu (x)\n b = MaxPool <kernel_shape=[1,1]> (a)\n c = Elu (b)\n d = MaxPool <kernel_shape=[1,1]> (c)\n"
        "y = Elu <alpha=0.5> (d)"
    )
    m = canonical(model(body), tmp_path)
    assert [name for _, name, _ in m.functions] == ["Curve_Elu", "Curve_Elu_of_2"]


def test_a_signal_stays_an_image(tmp_path: Path) -> None:
    proto = model("c = Conv (x, w)\n s = Sigmoid (c)\n t = Mul (c, s)\n y = Conv (t, v)", x=(1, 4, 9), w=CONV[:, :, 0],
                  v=weights(3, 5, 2))  # fmt: skip
    m = canonical(proto, tmp_path)
    assert [node.op_type for node in m.graph] == ["Reshape", "Conv", "Curve_Sigmoid_Mul", "Conv", "Reshape"]


def test_a_newer_operator_is_taken_apart(tmp_path: Path) -> None:
    for approximate in ("none", "tanh"):
        proto = model(f'y = Gelu <approximate="{approximate}"> (x)', opset=20)
        m = canonical(proto, tmp_path)
        assert len(m.graph) == 1
        feeds = sample(proto)
        np.testing.assert_allclose(run(ir.to_proto(m), feeds)[0], run(proto, feeds)[0], atol=1e-5)


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    """The samples never show it; the range of the layer before does."""
    m = canonical(model("c = Conv (x, w, b)\n y = Log (c)", w=CONV, b=np.full(5, 5, np.float32)), tmp_path)
    quantize(m, {"x": np.random.default_rng(1).uniform(-1, 1, (4, 1, 4, 8, 8)).astype(np.float32)})
    with pytest.raises(TinsmithError, match="is no number") as caught:
        lower(m)
    assert "clip what comes before" in str(caught.value)


def test_infinities_saturate(tmp_path: Path) -> None:
    m = canonical(model("r = Relu (x)\n y = Log (r)"), tmp_path)
    quantize(m, {"x": np.random.default_rng(1).uniform(0.5, 4, (4, 1, 4, 8, 8)).astype(np.float32)})
    lower(m)
    assert read_exact(m).layers[-2].table[0] == -128  # type: ignore[attr-defined]


def test_ranges_without_samples(tmp_path: Path) -> None:
    body = "q = QuantizeLinear (x, s, z)\n d = DequantizeLinear (q, s, z)\n y = Sigmoid (d)"
    m = canonical(model(body, s=number(1 / 32), z=np.asarray(0, np.int8)), tmp_path)
    quantize(m, None)
    lower(m)
    graph = read_exact(m)
    result = graph.tensors[graph.layers[1].output]
    assert (graph.layers[1].kind, result.dtype) == ("Table", "uint8")
    assert result.scale == pytest.approx(1 / (1 + math.exp(-127 / 32)) / 255)
