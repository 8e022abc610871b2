"""A typed reading of the exact graph: what a backend walks.

The ONNX file is the truth; `read_exact` (ir/reader.py) turns it into these records and loses nothing that a target
needs. Layout here is ONNX's own (NCHW, OIHW); a backend that wants another lowers to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

DType = Literal["uint8", "int8", "int32", "int64", "float32"]
Int8Array = npt.NDArray[np.int8]
Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Tensor:
    """A value between two layers: real = scale * (stored - zero_point), stored proved to lie in [lo, hi].

    `scale` is 0.0 for tensors that hold plain numbers (float inputs and outputs, class indices).
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    scale: float = 0.0
    zero_point: int = 0
    lo: int = 0
    hi: int = 0


@dataclass(frozen=True)
class Requantization:
    """y = clamp(zero_point + ((acc * multiplier[c] + 2**(shift-1)) >> shift), lo, hi): docs/numbers.md.

    `wide` says that acc * multiplier needs a 64-bit product for the proved range of acc; otherwise acc * multiplier
    plus the rounding constant lies inside int32.
    """

    multiplier: Int32Array
    shift: int
    zero_point: int
    lo: int
    hi: int
    wide: bool


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One node of the exact graph.

    Attributes:
        name: unique name, from the ONNX node or the torch module.
        source: where it came from, `file.py:line` or the ONNX node names that were merged into it.
        inputs: names of activation tensors (constants are fields of the layer).
        output: name of the tensor it makes.
        acc: proved [lo, hi] of the accumulator (zero points removed, bias added); (0, 0) where there is none.
    """

    kind: ClassVar[str] = ""
    name: str
    source: str
    inputs: tuple[str, ...]
    output: str
    acc: tuple[int, int] = (0, 0)


@dataclass(frozen=True, kw_only=True)
class Quantize(Layer):
    """float32 → 8 bit: cast(clip(round_half_even(x / scale), lo - zp, hi - zp)) + zp, in binary32."""

    kind: ClassVar[str] = "Quantize"


@dataclass(frozen=True, kw_only=True)
class Dequantize(Layer):
    """8 bit → float32: float32(stored - zero_point) * scale, in binary32."""

    kind: ClassVar[str] = "Dequantize"


@dataclass(frozen=True, kw_only=True)
class Conv(Layer):
    """2-D convolution. acc[o] = bias[o] + sum((x - x_zero_point) * weight[o]); padding adds x == x_zero_point.

    weight: int8 (out_channels, in_channels / group, kh, kw), true signed values in [-127, 127], zero point removed.
    pads: (top, left, bottom, right).
    """

    kind: ClassVar[str] = "Conv"
    weight: Int8Array
    bias: Int32Array
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]
    group: int
    requant: Requantization


@dataclass(frozen=True, kw_only=True)
class MatMul(Layer):
    """x (..., K) by a constant. weight: int8 (K, N) in [-127, 127]; bias: int32 (N,)."""

    kind: ClassVar[str] = "MatMul"
    weight: Int8Array
    bias: Int32Array
    requant: Requantization


@dataclass(frozen=True, kw_only=True)
class Add(Layer):
    """y = clamp(zp + (((a - a_zp) * multipliers[0] + (b - b_zp) * multipliers[1] + 2**(shift-1)) >> shift), lo, hi).

    Both inputs have the same shape. The sum before the shift is proved to fit int32 (`wide` is False).
    `requant.multiplier` is [1].
    """

    kind: ClassVar[str] = "Add"
    multipliers: tuple[int, int]
    requant: Requantization


@dataclass(frozen=True, kw_only=True)
class Requantize(Layer):
    """A standalone requantization of an 8-bit tensor, acc = x - x_zero_point (ReLU or clip that nothing absorbed)."""

    kind: ClassVar[str] = "Requantize"
    requant: Requantization


@dataclass(frozen=True, kw_only=True)
class AveragePool(Layer):
    """acc = sum over the window of (x - x_zero_point), padding counts as zero; 1/area is in the multiplier."""

    kind: ClassVar[str] = "AveragePool"
    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    requant: Requantization


@dataclass(frozen=True, kw_only=True)
class MaxPool(Layer):
    """Maximum over the window; padding never wins. Input and output have one scale and zero point."""

    kind: ClassVar[str] = "MaxPool"
    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Concat(Layer):
    """Concatenation along `axis` of tensors that share one scale and zero point."""

    kind: ClassVar[str] = "Concat"
    axis: int


@dataclass(frozen=True, kw_only=True)
class Reshape(Layer):
    """The same elements in ONNX order under another shape (Flatten, Squeeze, Unsqueeze too)."""

    kind: ClassVar[str] = "Reshape"


@dataclass(frozen=True, kw_only=True)
class Transpose(Layer):
    """Permutes axes: output axis i is input axis perm[i]."""

    kind: ClassVar[str] = "Transpose"
    perm: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Softmax(Layer):
    """Along the last axis: e = table[max(x) - x]; y = float32(e) / float32(sum(e)). table: int32 (256,)."""

    kind: ClassVar[str] = "Softmax"
    table: Int32Array


@dataclass(frozen=True, kw_only=True)
class ArgMax(Layer):
    """Index of the first maximum along the last axis, int64; keepdims as in the output's shape."""

    kind: ClassVar[str] = "ArgMax"


@dataclass(frozen=True)
class ExactGraph:
    """The exact graph: layers in topological order, every tensor by name, batch size 1."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: dict[str, Tensor]
    layers: tuple[Layer, ...] = field(default=())
