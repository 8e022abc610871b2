"""Float models for tests, written in ONNX's own text form: `model("Conv <pads=[1,1,1,1]> …", w=…)`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.parser
import onnxruntime

Array = npt.NDArray[Any]


def model(
    body: str,
    *,
    x: tuple[int | str, ...] = (1, 4, 8, 8),
    outputs: str = "y",
    opset: int = 18,
    extra: str = "",
    **constants: Array,
) -> onnx.ModelProto:
    """A model with input `x`, the nodes of `body`, outputs by name, and `constants` as initializers.

    body: lines such as `y = Relu (x)`.  extra: more graph inputs, such as `, float[1] z`.
    """
    shape = ",".join(map(str, x))
    returned = ", ".join(f"{'int64' if name.startswith('i_') else 'float'} {name}" for name in outputs.split())
    text = f'<ir_version: 8, opset_import: ["": {opset}]> net (float[{shape}] x{extra}) => ({returned}) {{\n{body}\n}}'
    proto = onnx.parser.parse_model(text)
    proto.graph.initializer.extend(onnx.numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items())
    return proto


def weights(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ints(*values: int) -> Array:
    return np.asarray(values, np.int64)


def statistics(channels: int) -> dict[str, Array]:
    """Constants g, b, m, v for `BatchNormalization (…, g, b, m, v)`."""
    rng = np.random.default_rng(3)
    names = ("g", "b", "m", "v")
    return {n: rng.uniform(0.5, 2.0, channels).astype(np.float32) * (-1 if n == "m" else 1) for n in names}


def run(proto: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    """Outputs of stock onnxruntime without graph optimizations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    return [np.asarray(y) for y in session.run(None, feeds)]


def sample(proto: onnx.ModelProto, seed: int = 1) -> dict[str, Array]:
    """Random inputs; symbolic dimensions are 1."""
    rng = np.random.default_rng(seed)
    given = {t.name for t in proto.graph.initializer}
    infos = [i for i in proto.graph.input if i.name not in given]
    shapes = {i.name: [d.dim_value or 1 for d in i.type.tensor_type.shape.dim] for i in infos}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
