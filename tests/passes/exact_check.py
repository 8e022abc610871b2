"""Compares each layer of an exact graph with what the QDQ model computes in float from the same inputs."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.utils
import onnx_ir as ir
import onnxruntime as ort
from tinsmith.ir.exact import ExactGraph, Layer, Requantization, ending_of
from tinsmith.ir.ops.base import LIMITS
from tinsmith.ir.reader import read_exact
from tinsmith.verify.oracle import Oracle

MOVED = ("Quantize", "Dequantize", "ArgMax", "MaxPool", "BinaryMaxPool", "Concat", "Transpose", "Reshape")
"""Layers whose results are the same to the bit."""
FLOAT_ERROR = 2.0**-20
"""Part of the largest value that sums in binary32 may be off by."""

Feeds = dict[str, np.ndarray]


def run_qdq(model: ir.Model, inputs: Feeds, output: str) -> np.ndarray:
    """The part of a QDQ model between some tensors and another, in onnxruntime without optimizations."""
    proto = ir.to_proto(model)
    part = onnx.utils.Extractor(proto).extract_model(list(inputs), [output])
    del part.functions[:]
    part.functions.extend(proto.functions)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(part.SerializeToString(), options).run(None, inputs)[0]


def check_layers(qdq: ir.Model, model: ir.Model, sample: Feeds, rounding: float = 0.52) -> None:
    """Each layer, on the exact graph's own inputs, is the nearest value to what QDQ makes of them in float.

    Beyond 1/2 there is room for the bias, which is rounded to whole steps of the accumulator, and for multipliers, of
    which the least has 10 bits, or 18 where the result has 16. Bits are equal wherever the float value is not as near
    to its threshold as its own rounding error.
    """
    graph, got = read_exact(model), Oracle(model).run(sample)
    for layer in graph.layers:
        inputs = {name: _as_qdq_holds_it(graph, name, {**sample, **got}[name]) for name in layer.inputs}
        ours, y = got[layer.output], graph.tensors[layer.output]
        if layer.kind == "Softmax":
            np.testing.assert_allclose(ours, run_qdq(qdq, inputs, layer.output), rtol=1e-5, atol=1e-7)
        elif layer.kind in MOVED:
            np.testing.assert_array_equal(ours, run_qdq(qdq, inputs, layer.output))
        elif y.bits == 1:
            _check_bits(qdq, inputs, layer, ours)
        else:
            end = next(node for node in qdq.graph if node.outputs[0].name == layer.output)
            steps = run_qdq(qdq, inputs, _name(end.inputs[0])).astype(np.float64) / y.scale
            nearest = np.clip(steps + y.zero_point, *LIMITS[y.dtype])
            allowed = rounding + _half_a_step(layer) + np.abs(steps) / 2 ** (16 if y.bits == 16 else 10)
            assert (np.abs(ours - nearest) <= allowed).all(), layer.name


def _half_a_step(layer: Layer) -> float:
    """Half a step of the accumulator in steps of the output; much for sums of bits, next to nothing for others."""
    ending = ending_of(layer)
    return float(ending.multiplier.max()) / 2 ** (ending.shift + 1) if isinstance(ending, Requantization) else 0.0


def _as_qdq_holds_it(graph: ExactGraph, name: str, array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if graph.tensors[name].bits == 1 else array


def _check_bits(qdq: ir.Model, inputs: Feeds, layer: Layer, ours: np.ndarray) -> None:
    end = next(node for node in qdq.graph if node.outputs[0].name == layer.output)
    assert end.op_type == "Binarize" and end.inputs[1] is not None and end.inputs[1].const_value is not None
    before = run_qdq(qdq, inputs, _name(end.inputs[0]))
    distance = before - end.inputs[1].const_value.numpy()
    sure = np.abs(distance) > FLOAT_ERROR * np.abs(before).max(initial=0)
    assert sure.mean() > 0.9, layer.name
    np.testing.assert_array_equal(ours[sure], np.where(distance >= 0, 1, -1)[sure], layer.name)


def _name(value: ir.Value | None) -> str:
    assert value is not None
    return value.name or ""
