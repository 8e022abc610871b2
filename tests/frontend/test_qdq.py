"""Files that another tool quantized, in QDQ form: grids and integers are kept, and the results are its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir
import pytest
from float_models import model, run
from ort_models import SAMPLES, quantized_by_onnxruntime
from tinsmith import pipeline
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize, load
from tinsmith.ir.reader import read_exact
from tinsmith.numerics.lattice import lattice_scales
from tinsmith.verify.oracle import Oracle

Array = npt.NDArray[Any]
F32 = np.float32
GRID = {"s": F32(0.05), "z": np.int8(0)}


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_network_that_onnxruntime_quantized(symmetric: bool, tmp_path: Path) -> None:
    proto = quantized_by_onnxruntime(tmp_path, symmetric=symmetric)
    exact = ir.load(pipeline.quantize(tmp_path / "net.onnx", {"x": SAMPLES}, tmp_path / "exact.onnx"))
    graph, oracle = read_exact(exact), Oracle(exact)
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in proto.graph.initializer}
    kept = [layer for layer in graph.layers if hasattr(layer, "weight")]
    for layer, name in zip(kept, ("w", "u", "v"), strict=True):
        np.testing.assert_array_equal(layer.weight, constants[f"{name}_quantized"])
    given = {F32(a) for n, a in constants.items() if n.endswith("_scale") and a.size == 1}
    assert {F32(graph.tensors[layer.output].scale) for layer in graph.layers[:-1]} <= given
    step = graph.tensors[graph.layers[-1].inputs[0]].scale
    off = np.concatenate([(run(proto, {"x": x})[0] - oracle.run({"x": x})["y"]) / step for x in SAMPLES])
    assert np.abs(off).max() < 1.5 and (np.abs(off) > 0.5).mean() < 0.1, "halves aside, the integers are the same"


def test_one_pair_serves_every_reader(tmp_path: Path) -> None:
    """Tools write a DequantizeLinear for each reader, outputs included."""
    text = (
        "q = QuantizeLinear (x, s, z)\n a = DequantizeLinear (q, s, z)\n b = DequantizeLinear (q, s, z)\n"
        "c = DequantizeLinear (q, s, z)\n d = Add (a, b)\n y = Relu (d)"
    )
    proto = model(text, outputs="y c", **GRID)
    onnx.save(proto, tmp_path / "net.onnx")
    canonical = canonicalize(load(tmp_path / "net.onnx"))
    assert [n.op_type for n in canonical.graph] == ["QuantizeLinear", "DequantizeLinear", "Add", "Relu"]
    exact = ir.load(pipeline.quantize(tmp_path / "net.onnx", {"x": SAMPLES}, tmp_path / "exact.onnx"))
    for x in SAMPLES[:4]:
        for wanted, got in zip(run(proto, {"x": x}), run(ir.to_proto(canonical), {"x": x}), strict=True):
            np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(Oracle(exact).run({"x": x})["c"], run(proto, {"x": x})[1])


def test_a_range_for_what_has_a_grid_is_refused(tmp_path: Path) -> None:
    onnx.save(model("q = QuantizeLinear (x, s, z)\n y = DequantizeLinear (q, s, z)", **GRID), tmp_path / "net.onnx")
    (tmp_path / "recipe.toml").write_text("[layers.x]\nrange = [-1.0, 1.0]\n")
    files = (tmp_path / "net.onnx", {"x": SAMPLES}, tmp_path / "exact.onnx")
    with pytest.raises(TinsmithError, match="input 'x': the recipe gives it a range"):
        pipeline.quantize(*files, recipe=tmp_path / "recipe.toml")


def test_weights_that_lie_on_a_grid_stay_on_it() -> None:
    """Whole multiples of a step, in float32 and times a scale in float32, are found again; others are not."""
    rng = np.random.default_rng(2)
    for top in (1, 3, 7, 100, 127):
        steps = rng.integers(-top, top + 1, (6, 40))
        steps[:, :2] = [top, 1]
        scale = rng.uniform(1e-6, 1e3, (6, 1)).astype(F32)
        stored = (steps.astype(F32) * scale) * rng.uniform(-2, 2, (6, 1)).astype(F32)
        step = lattice_scales(stored)
        np.testing.assert_array_equal(np.abs(np.rint(stored / step[:, None])), np.abs(steps))
    assert np.isnan(lattice_scales(rng.normal(size=(8, 40)))).all()
    assert np.isnan(lattice_scales(np.zeros((2, 5))))[0]
