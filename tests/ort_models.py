"""Networks that onnxruntime's own tool quantized, in QDQ form, with either kind of grid for activations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from float_models import model, weights
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SAMPLES = np.random.default_rng(0).normal(size=(16, 1, 4, 8, 8)).astype(np.float32)


class Samples(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self) -> None:
        self.left = iter(SAMPLES)

    def get_next(self) -> Mapping[str, npt.NDArray[Any]] | None:
        sample = next(self.left, None)
        return None if sample is None else {"x": sample}


def quantized_by_onnxruntime(folder: Path, *, symmetric: bool) -> onnx.ModelProto:
    """A small convolutional network, left as `net.onnx` in `folder`; weights are called w, u and v."""
    layers = (
        "c = Conv <pads=[1,1,1,1]> (x, w, b)\n r = Relu (c)\n m = MaxPool <kernel_shape=[2,2], strides=[2,2]> (r)\n"
        "d = Conv <group=6> (m, u)\n e = Relu (d)\n f = Flatten (e)\n y = Gemm (f, v, k)"
    )
    sizes = {"w": (6, 4, 3, 3), "b": (6,), "u": (6, 1, 3, 3), "v": (24, 5), "k": (5,)}
    onnx.save(model(layers, **{n: weights(*s, seed=len(n + str(s))) for n, s in sizes.items()}), folder / "float.onnx")
    options = {"ActivationSymmetric": symmetric, "WeightSymmetric": True}
    kinds = {"activation_type": QuantType.QInt8 if symmetric else QuantType.QUInt8, "weight_type": QuantType.QInt8}
    files = (str(folder / "float.onnx"), str(folder / "net.onnx"))
    quantize_static(*files, Samples(), quant_format=QuantFormat.QDQ, per_channel=True, extra_options=options, **kinds)
    return onnx.load(folder / "net.onnx")
