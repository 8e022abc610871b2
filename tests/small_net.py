"""A small float network for tests of the pipeline, and samples for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper


def small_net(path: Path, *, batch: int | str = 1, size: int | str = 8, bad_weight: float | None = None) -> Path:
    """Conv → Relu → Conv + residual Add → Relu → GlobalAveragePool → Flatten → Gemm, input `x`, output `y`."""
    rng = np.random.default_rng(7)
    w1 = rng.normal(0, 0.3, (6, 3, 3, 3)).astype(np.float32)
    if bad_weight is not None:
        w1[0, 0, 0, 0] = bad_weight
    weights = {
        "w1": w1,
        "b1": rng.normal(0, 0.1, 6).astype(np.float32),
        "w2": rng.normal(0, 0.3, (6, 6, 3, 3)).astype(np.float32),
        "b2": rng.normal(0, 0.1, 6).astype(np.float32),
        "w3": rng.normal(0, 0.5, (6, 4)).astype(np.float32),
        "b3": np.zeros(4, np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c2", "r1"], ["a"], "add"),
        helper.make_node("Relu", ["a"], ["r2"], "relu2"),
        helper.make_node("GlobalAveragePool", ["r2"], ["g"], "pool"),
        helper.make_node("Flatten", ["g"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], "dense"),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, size, size])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 4])
    constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "small", [x], [y], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def samples(count: int = 10) -> npt.NDArray[np.float32]:
    """Inputs for `small_net`, samples first."""
    return np.random.default_rng(1).normal(0, 1, (count, 3, 8, 8)).astype(np.float32)


def save_npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path
