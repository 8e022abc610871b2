"""Results that stay accumulators: what quantization and lowering make of them, and what is refused."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from canonical_models import Canonical
from exact_check import run_qdq
from exact_models import Net
from tinsmith.errors import TinsmithError
from tinsmith.ir import exact
from tinsmith.ir.reader import read_exact
from tinsmith.ir.stages import Stage, check_stage
from tinsmith.passes.lower_exact import lower
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import parse_recipe
from tinsmith.verify.oracle import Oracle


def asked(*names: str, **more: Any) -> Any:
    return parse_recipe({"layers": {name: {"output": "accumulator", **more} for name in names}})


def regression(bias: float = 1.0) -> Canonical:
    """A convolution, then two results: a product, and a convolution behind which stands a Reshape."""
    net = Canonical(2)
    x = net.input("x", (1, 3, 6, 6))
    hidden = net.op("Relu", net.conv(x, 8, name="c1"), name="r1")
    flat = net.op("Reshape", hidden, name="flat", constants=(np.array([1, 288]),))
    weight = net.rng.normal(0, 0.1, (288, 2)).astype(np.float32)
    y = net.gemm(flat, weight, np.float32([bias, -bias]), name="head")
    image = net.conv(hidden, net.rng.normal(0, 0.3, (4, 8, 3, 3)).astype(np.float32), name="image")
    net.output(y, net.op("Reshape", image, name="last", constants=(np.array([1, 4, 36]),)))
    return net


def samples(count: int = 16) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(1).normal(0.3, 1, (count, 1, 3, 6, 6)).astype(np.float32)}


def both(net: Canonical, recipe: Any) -> tuple[ir.Model, ir.Model]:
    model = net.model()
    quantize(model, samples(), recipe)
    check_stage(model, Stage.QUANTIZED)
    qdq = model.clone()
    lower(model)
    check_stage(model, Stage.EXACT)
    return qdq, model


def test_the_results_are_those_of_qdq_to_a_step_of_the_sum() -> None:
    qdq, model = both(regression(), asked("head", "image"))
    graph, oracle = read_exact(model), Oracle(model)
    layers = {layer.name: layer for layer in graph.layers}
    assert [layers[name].kind for name in ("head", "image", "last")] == ["MatMul", "Conv", "Reshape"]
    for sample in samples(4)["x"]:
        got = oracle.run({"x": sample})
        for output in graph.outputs:
            (maker,) = (layer for layer in graph.layers if layer.output == output)
            stored = graph.tensors[maker.inputs[0]]
            assert maker.kind == "Dequantize" and stored.dtype == "int32" and stored.zero_point == 0
            source = layers["head" if stored.name == layers["head"].output else "image"].inputs[0]
            wanted = run_qdq(qdq, {source: got[source]}, output)
            assert np.abs(got[output] - wanted).max() <= 0.51 * stored.scale + 1e-5 * np.abs(wanted).max()
            assert np.array_equal(got[output], got[stored.name].astype(np.float32) * np.float32(stored.scale))


def test_all_channels_have_one_scale_and_the_largest_weight_is_127() -> None:
    _, model = both(regression(), asked("head"))
    (head,) = (layer for layer in read_exact(model).layers if layer.name == "head")
    assert isinstance(head, exact.MatMul) and isinstance(head.ending, exact.Accumulator)
    assert np.abs(head.weight).max() == 127


def test_a_large_bias_makes_larger_steps() -> None:
    _, model = both(regression(bias=3e6), asked("head"))
    (head,) = (layer for layer in read_exact(model).layers if layer.name == "head")
    assert isinstance(head, exact.MatMul) and np.abs(head.weight).max() < 127
    assert Oracle(model).run({"x": samples()["x"][0]})[read_exact(model).outputs[0]][0, 0] == pytest.approx(
        3e6, rel=1e-5
    )


def test_other_layers_keep_their_grids() -> None:
    """Asking for one accumulator changes nothing in front of it."""
    (_, plain), (_, whole) = both(regression(), None), both(regression(), asked("head"))
    before, after = ({layer.name: layer for layer in read_exact(m).layers} for m in (plain, whole))
    np.testing.assert_equal(asdict(before["c1"]), asdict(after["c1"]))
    assert isinstance(before["head"].ending, exact.Requantization)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "why"),
    [("c1", "'r1', which works on 8-bit values"), ("flat", "only a convolution or matrix product"), ("x", "an input")],
)
def test_what_cannot_is_refused(name: str, why: str) -> None:
    with pytest.raises(TinsmithError, match=why):
        both(regression(), asked(name))


def test_what_layers_read_is_8_bit() -> None:
    net = Canonical(2)
    y = net.conv(net.input("x", (1, 3, 6, 6)), 4, name="c1")
    net.output(net.conv(y, 2, name="c2"))
    with pytest.raises(TinsmithError, match="layers read 8-bit values"):
        both(net, asked("c1"))


def test_a_range_beside_it_is_refused() -> None:
    with pytest.raises(TinsmithError, match="a range says what becomes of 8-bit values"):
        both(regression(), asked("head", range=[-1.0, 1.0]))


def test_every_refusal_is_told_at_once() -> None:
    with pytest.raises(TinsmithError) as error:
        both(regression(), asked("c1", "flat", "x"))
    assert len(error.value.problems) == 3


def _read_by(kind: str) -> Net:
    net = Net(1)
    sums = net.conv(net.quantize(net.input("x", (1, 3, 6, 6))), 4, bits=32)
    net.dequantize(net.max_pool(sums, (2, 2)) if kind == "MaxPool" else net.transpose(sums, (0, 2, 3, 1)))
    return net


@pytest.mark.parametrize("kind", ["MaxPool", "Transpose"])
def test_nothing_but_reshape_and_dequantize_reads_accumulators(kind: str) -> None:
    with pytest.raises(TinsmithError, match="takes uint8 or int8"):
        read_exact(_read_by(kind).model())


def test_an_accumulator_has_no_zero_point() -> None:
    net = Net(1)
    net.dequantize(net.matmul(net.quantize(net.input("x", (1, 8))), 2, bits=32))
    model = net.model()
    (stored,) = (node.outputs[0] for node in model.graph if node.op_type == "MatMulAccumulator")
    stored.metadata_props["tinsmith.zero_point"] = "1"
    with pytest.raises(TinsmithError, match="zero point 1"):
        read_exact(model)
