"""A typed reading of the exact graph: what a backend walks.

The ONNX file is the truth; `read_exact` (ir/reader.py) turns it into these records and loses nothing that a target
needs. Layout here is ONNX's own (NCHW, OIHW); a backend that wants another lowers to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

DType = Literal["uint8", "int8", "int16", "int32", "int64", "float32"]
Int8Array = npt.NDArray[np.int8]
UInt8Array = npt.NDArray[np.uint8]
Int16Array = npt.NDArray[np.int16]
Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Tensor:
    """A value between two layers: real = scale * (stored - zero_point), stored proved to lie in [lo, hi].

    `scale` is 0.0 for tensors that hold plain numbers (float inputs and outputs, class indices). A tensor of 1 bit is
    an int8 tensor here that holds -1 and +1 only; packing it is a backend's business. One of 16 bits is int16 with zero
    point 0; the layers of `READ_16` and `MAKE_16` alone know it. An int32 tensor holds the accumulators of a layer that
    ends in `Accumulator`; Reshape and Dequantize alone read it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    scale: float = 0.0
    zero_point: int = 0
    lo: int = 0
    hi: int = 0
    bits: Literal[1, 8, 16] = 8


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


@dataclass(frozen=True)
class Threshold:
    """y = 1 if acc >= limit[c] else -1, one limit an output channel: what scale, bias, BatchNorm and sign() come to.

    A negative factor before the sign is in the signs of the weights, so acc always counts upwards. A limit below or
    above every accumulator (lo, hi + 1) makes a constant channel.
    """

    limit: Int32Array


@dataclass(frozen=True)
class Accumulator:
    """y = acc, all 32 bits of it: for a result that 8 bits would round, such as a regression at the graph's output."""


Ending = Requantization | Threshold | Accumulator
"""How an accumulator becomes the stored output: a value of 8 or 16 bits, one bit, or itself."""


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
    """float32 → 8 or 16 bit: cast(clip(round_half_even(x / scale), lo - zp, hi - zp)) + zp, in binary32."""

    kind: ClassVar[str] = "Quantize"


@dataclass(frozen=True, kw_only=True)
class Dequantize(Layer):
    """8 bit, 16 bit or an accumulator → float32: float32(stored - zero_point) * scale, in binary32."""

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
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class MatMul(Layer):
    """x (..., K) by a constant. weight: int8 (K, N) in [-127, 127]; bias: int32 (N,)."""

    kind: ClassVar[str] = "MatMul"
    weight: Int8Array
    bias: Int32Array
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class BinaryConv(Layer):
    """Dense 2-D convolution of a 1-bit tensor. acc[o] = bias[o] + sum(x * weight[o]).

    weight: int8 (out_channels, in_channels, kh, kw), -1 and +1 only. Padding counts as `pad_value`: -1, +1, or 0, which
    adds nothing.
    """

    kind: ClassVar[str] = "BinaryConv"
    weight: Int8Array
    bias: Int32Array
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]
    pad_value: Literal[-1, 0, 1]
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class BinaryMatMul(Layer):
    """A 1-bit tensor x (..., K) by a constant. weight: int8 (K, N), -1 and +1 only; bias: int32 (N,)."""

    kind: ClassVar[str] = "BinaryMatMul"
    weight: Int8Array
    bias: Int32Array
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class ShiftConv(Layer):
    """As Conv, with weights of ±2**S, S in [0, 2**(bits-1)), never zero: int16, since 4 bits reach ±128.

    weight: int16 (out_channels, in_channels / group, kh, kw), the true values.
    """

    kind: ClassVar[str] = "ShiftConv"
    weight: Int16Array
    bits: Literal[2, 3, 4]
    bias: Int32Array
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]
    group: int
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class ShiftMatMul(Layer):
    """As MatMul, with weights as in ShiftConv. weight: int16 (K, N)."""

    kind: ClassVar[str] = "ShiftMatMul"
    weight: Int16Array
    bits: Literal[2, 3, 4]
    bias: Int32Array
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class Binarize(Layer):
    """8 bit → 1 bit: y = 1 if sign[c] * (x - x_zero_point) >= limit[c] else -1, c along `axis`.

    sign: int8 (C,), -1 or +1. limit: int32 (C,).
    """

    kind: ClassVar[str] = "Binarize"
    axis: int
    sign: Int8Array
    limit: Int32Array


@dataclass(frozen=True, kw_only=True)
class BinaryMaxPool(Layer):
    """On a 1-bit NCHW tensor: y = sign[c] * max(sign[c] * x) over the window; padding never wins.

    sign: int8 (C,), -1 or +1; -1 makes the channel's minimum, for what a negative factor follows.
    """

    kind: ClassVar[str] = "BinaryMaxPool"
    sign: Int8Array
    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class PiecewiseLinear(Layer):
    """Two straight pieces a channel: RPReLU, leaky ReLU, or a scale and bias that nothing absorbed.

    v = x - x_zero_point; piece k = 1 if v >= knee[c] else 0;
    y = clamp(zero_point + ((v * multiplier[k][c] + offset[k][c] + 2**(shift-1)) >> shift), lo, hi).
    multiplier and offset: int32 (2, C), multipliers of any sign, the sum before the shift proved to fit int32;
    knee: int32 (C,); c along `axis`.
    """

    kind: ClassVar[str] = "PiecewiseLinear"
    axis: int
    knee: Int32Array
    multiplier: Int32Array
    offset: Int32Array
    shift: int
    zero_point: int
    lo: int
    hi: int

    @property
    def rounding(self) -> Requantization:
        """What the sum goes through: a requantization with multiplier 1."""
        return Requantization(np.ones(1, np.int32), self.shift, self.zero_point, self.lo, self.hi, wide=False)


@dataclass(frozen=True, kw_only=True)
class Multiply(Layer):
    """acc[c] = (a - a_zero_point) * (b - b_zero_point) + bias[c], c along `axis`; b is broadcast to the shape of a.

    `inputs` is (a, b), or (a,) where b is `factor`: int8, of a shape that broadcasts, zero point removed.
    bias: int32 (C,).
    """

    kind: ClassVar[str] = "Multiply"
    axis: int
    factor: Int8Array | None
    bias: Int32Array
    ending: Ending


@dataclass(frozen=True, kw_only=True)
class AbsoluteSum(Layer):
    """acc = sum of |x - x_zero_point| over the axes `axes`, which stay with size 1 (XNOR-Net's run-time scale)."""

    kind: ClassVar[str] = "AbsoluteSum"
    axes: tuple[int, ...]
    requant: Requantization


@dataclass(frozen=True, kw_only=True)
class Table(Layer):
    """y = table[x mod 256], any function of one 8-bit value (sigmoid, GELU …) as its results.

    table: (256,) of the output's type; entry i is the result for the stored byte i, an int8 read as unsigned.
    """

    kind: ClassVar[str] = "Table"
    table: Int8Array | UInt8Array

    def results(self, lo: int, hi: int) -> npt.NDArray[np.int64]:
        """(hi - lo + 1,) the results for the stored values `lo` to `hi`."""
        return self.table[np.arange(lo, hi + 1) % 256].astype(np.int64)


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


Weighted = Conv | MatMul | BinaryConv | BinaryMatMul | ShiftConv | ShiftMatMul
"""Layers whose work is products by a constant weight: `weight` has (O, I / group, kh, kw) or (K, N) of them."""
MAKE_16 = (Quantize, Conv, MatMul, ShiftConv, ShiftMatMul, Concat, Reshape, Transpose)
"""Layers whose output may have 16 bits."""
READ_16 = (Dequantize, *MAKE_16[1:])
"""Layers whose inputs may have 16 bits. What only moves values has one width on all sides."""


def weight_bits(layer: Layer) -> int:
    """Bits of one weight of `layer`; 0 where it has none."""
    match layer:
        case BinaryConv() | BinaryMatMul():
            return 1
        case ShiftConv() | ShiftMatMul():
            return layer.bits
        case Conv() | MatMul():
            return 8
        case Multiply() if layer.factor is not None:
            return 8
        case _:
            return 0


def bit_tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    """A tensor of -1 and +1."""
    return Tensor(name, shape, "int8", 1.0, 0, -1, 1, 1)


def ending_of(layer: Layer) -> Ending | None:
    """How the accumulator of `layer` becomes its output; None for a layer without one."""
    ending: Ending | None = getattr(layer, "ending", None) or getattr(layer, "requant", None)
    return ending


@dataclass(frozen=True)
class ExactGraph:
    """The exact graph: layers in topological order, every tensor by name, batch size 1."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: dict[str, Tensor]
    layers: tuple[Layer, ...] = field(default=())
