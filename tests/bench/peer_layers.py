"""Single int8 convolution layers that engines are compared on: the peer's model and our constants for the same work.

The peer's model is what onnxruntime's own quantizer makes of Conv + Clip(0, 6); our kernel gets the weights, scales and
zero points of that very model, so both must give the same bytes up to their rounding (one step).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tinsmith.numerics.requantize import choose_requantization
from tinsmith_backends.cpu.kernels.base import BinaryConvShape, ConvShape, Isa, Packed, WeightedKernel
from tinsmith_backends.cpu.kernels.manifest import choose

CLIP = 6.0
SEED = 7


@dataclass(frozen=True)
class LayerSize:
    """A square convolution with stride 1 that keeps the size of the image."""

    name: str
    image: int
    cin: int
    cout: int
    kernel: int

    @property
    def pad(self) -> int:
        """Padding on every side."""
        return self.kernel // 2

    @property
    def operations(self) -> int:
        """Two a multiply-accumulate."""
        return 2 * self.image**2 * self.cin * self.cout * self.kernel**2

    def __str__(self) -> str:
        k = self.kernel
        return f"{self.name}: {k}x{k} conv {self.image}x{self.image}, {self.cin} to {self.cout} channels"


LAYERS = {
    size.name: size
    for size in (
        LayerSize("A", 14, 512, 512, 1),
        LayerSize("B", 28, 256, 256, 1),
        LayerSize("C", 56, 128, 128, 1),
        LayerSize("D", 14, 256, 256, 3),
    )
}


def quantized_model(size: LayerSize, folder: Path) -> Path:
    """Write the float model and its QDQ form: uint8 activations, int8 weights per channel, opset 17."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Inputs(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            self._samples: Iterator[Any] = iter([{"x": sample(size, seed)} for seed in range(3)])

        def get_next(self) -> Any:
            return next(self._samples, None)

    plain, quantized = folder / f"{size.name}.onnx", folder / f"{size.name}.qdq.onnx"
    onnx.save(_float_model(size), plain)
    logging.getLogger().setLevel(logging.ERROR)  # the quantizer recommends a preprocessing that does nothing here
    quantize_static(
        plain,
        quantized,
        Inputs(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return quantized


def sample(size: LayerSize, seed: int) -> npt.NDArray[np.float32]:
    """A random input (1, cin, image, image)."""
    shape = (1, size.cin, size.image, size.image)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _float_model(size: LayerSize) -> onnx.ModelProto:
    rng = np.random.default_rng(SEED)
    shape = (size.cout, size.cin, size.kernel, size.kernel)
    weight = (rng.standard_normal(shape) * 2 / np.sqrt(size.cin * size.kernel**2)).astype(np.float32)
    values = {
        "w": weight,
        "b": rng.standard_normal(size.cout).astype(np.float32) / 10,
        "lo": np.float32(0),
        "hi": np.float32(CLIP),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=shape[2:], pads=[size.pad] * 4),
        helper.make_node("Clip", ["c", "lo", "hi"], ["y"]),
    ]
    shapes = {"x": size.cin, "y": size.cout}
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, size.image, size.image])
        for name, channels in shapes.items()
    ]
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "layer", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model


@dataclass(frozen=True)
class LayerKernel:
    """Our kernel for a peer's model. Scalars: those of its kind's signature, in the stored (int8) numbers."""

    kernel: WeightedKernel
    packed: Packed
    scalars: tuple[int, ...]
    x_scale: float
    y_scale: float


def layer_kernel(size: LayerSize, quantized: Path, isa: Isa) -> LayerKernel:
    """The kernel and constants that do the work of `quantized_model`."""
    values = {t.name: numpy_helper.to_array(t) for t in onnx.load(quantized).graph.initializer}
    weight = values["w_quantized"]
    if weight.min() < -127:
        raise ValueError("the peer's weights use -128, which our kernels do not take")
    x_scale, x_zp = float(values["x_scale"]), int(values["x_zero_point"])
    y_scale, y_zp = float(values["y_scale"]), int(values["y_zero_point"])
    bias = values["b_quantized"].astype(np.int64)
    flat = weight.reshape(size.cout, -1).astype(np.int64)
    low, high = (np.minimum(flat, 0).sum(1), np.maximum(flat, 0).sum(1))
    largest = bias + high * (255 - x_zp) - low * x_zp
    least = bias + low * (255 - x_zp) - high * x_zp
    ratio = x_scale * values["w_scale"].astype(np.float64) / y_scale
    requant = choose_requantization(ratio, least, largest, zero_point=y_zp, lo=0, hi=255)
    n, k, pad = size.image, size.kernel, size.pad
    shape = ConvShape(n, n, size.cin, n, n, size.cout, k, k, 1, 1, pad, pad, 1, 1, 1, requant.wide)
    kernel = choose("conv", shape, isa)
    if not isinstance(kernel, WeightedKernel):
        raise TypeError(f"{kernel.name} takes no weights")
    packed = kernel.pack(weight.transpose(0, 2, 3, 1), bias.astype(np.int32), requant.multiplier, x_zp - 128)
    scalars = (x_zp - 128, requant.shift, y_zp - 128, -128, 127)
    return LayerKernel(kernel, packed, scalars, x_scale, y_scale)


def binary_kernel(size: LayerSize, isa: Isa) -> LayerKernel:
    """A layer of the same size between packed bits: random weights, padding of +1, limits of 0."""
    n, k, pad = size.image, size.kernel, size.pad
    shape = BinaryConvShape(n, n, size.cin, n, n, size.cout, k, k, 1, 1, pad, pad, 1, 1, 1, wide=False, packed=True)
    kernel = choose("binaryconv", shape, isa)
    if not isinstance(kernel, WeightedKernel):
        raise TypeError(f"{kernel.name} takes no weights")
    weight = np.random.default_rng(SEED).choice([-1, 1], (size.cout, k, k, size.cin)).astype(np.int8)
    packed = kernel.pack(weight, np.zeros(size.cout, np.int32), np.ones(size.cout, np.int32), 0)
    return LayerKernel(kernel, packed, (0, 0, 0, 0), 1.0, 1.0)


def constant_arrays(packed: Packed) -> str:
    """C definitions of `weight`, `bias` and `multiplier`, aligned as kernels ask for."""
    arrays = (
        ("int8_t", "weight", packed.weight, "i1"),
        ("int32_t", "bias", packed.bias, "<i4"),
        ("int32_t", "multiplier", packed.multiplier or bytes(4), "<i4"),
    )
    return "".join(
        f"static const _Alignas(16) {dtype} {name}[] = {{{','.join(map(str, np.frombuffer(data, kind)))}}};\n"
        for dtype, name, data, kind in arrays
    )
