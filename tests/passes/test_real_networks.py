"""Trained networks keep their float accuracy through the canonical passes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from float_models import Array
from tinsmith.frontend import canonicalize, load

DATA = Path(__file__).parents[2] / "../shared/data"


def cifar() -> tuple[Array, Array]:
    with np.load(DATA / "mlperftiny_ic01_200.npz") as found:
        return found["x"].transpose(0, 3, 1, 2).astype(np.float32), found["y"]


def normalized() -> tuple[Array, Array]:
    x, y = cifar()
    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return (x / 255 - mean.reshape(3, 1, 1)) / deviation.reshape(3, 1, 1), y


def keywords() -> tuple[Array, Array]:
    with np.load(DATA / "mlperftiny_kws01_1000.npz") as found:
        return ((found["x"].astype(np.float32) - 83) * np.float32(0.5847))[:, None], found["y"]


NETWORKS = {
    "mlperftiny_ic_resnet8_f32.onnx": (cifar, 0.855, "Conv:9 Relu:7 Add:3 AveragePool:1 Reshape:1 Gemm:1 Softmax:1"),
    "mlperftiny_kws_dscnn_f32.onnx": (keywords, 0.913, "Conv:9 Relu:9 AveragePool:1 Reshape:1 Gemm:1 Softmax:1"),
    "cifar10_resnet20.onnx": (normalized, 0.900, "Conv:21 Relu:19 Add:9 AveragePool:1 Reshape:1 Gemm:1"),
}


@pytest.mark.parametrize("file", NETWORKS)
def test_accuracy_and_operators(file: str) -> None:
    if not (DATA / file).exists():
        pytest.skip("the trained network is not there")
    samples, accuracy, operators = NETWORKS[file]
    x, y = samples()
    m = canonicalize(load(DATA / file))
    assert Counter(n.op_type for n in m.graph) == Counter(
        {name: int(count) for name, count in (part.split(":") for part in operators.split())}
    )
    proto = ir.to_proto(m)
    onnx.checker.check_model(proto, full_check=True)
    found, original = _session(proto.SerializeToString()), _session(str(DATA / file))
    name = m.graph.inputs[0].name
    answers = [found.run(None, {name: sample[None]})[0] for sample in x]
    assert np.mean(np.argmax(answers, axis=-1)[:, 0] == y) == pytest.approx(accuracy, abs=1e-9)
    for sample, answer in zip(x[:20], answers, strict=False):
        np.testing.assert_allclose(answer, original.run(None, {name: sample[None]})[0], atol=1e-4)


def _session(model: str | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options)
