"""What a CPU kernel is. One template a file; kernels/manifest.py lists them and chooses.

Every activation is stored as int8 in NHWC order without padding: an exact-graph uint8 tensor is stored as value - 128
and its zero point moves with it (`stored_zero_point`), so one set of kernels serves both. Batch is 1.

A tensor of 16 bits is stored as int16, as it is: its zero point is 0. Only the kinds with a 16 in their name, and
convsum, know such x and y, by the `x_bits` and `y_bits` of their shape.

A tensor of 1 bit is stored packed: for each pixel in NHWC order ceil(channels / 32) little-endian words of 32 bits; bit
c % 32 of word c / 32 is 1 where channel c is -1. The bits behind the last channel are 0, in activations and in weights.
A kernel whose shape says `packed` writes bits, y is uint32_t * then: its limits are in the bias (acc + bias < 0 is the
bit), it reads no multiplier, and its scalars shift to hi mean nothing.

C signatures, by kind (all pointers are distinct unless `in_place` allows otherwise; alignment 16 for w, bias,
multiplier and scratch, 4 for packed bits, 2 for int16, 1 for other x and y); signatures.py has the same for programs:

    conv, depthwise, matmul:
      int32_t K(const int8_t *x, const int8_t *w, const int32_t *bias, const int32_t *multiplier, int8_t *y,
                int8_t *scratch, int32_t x_zp, int32_t shift, int32_t y_zp, int32_t lo, int32_t hi)
    averagepool, requantize, absolutesum:
      int32_t K(const int8_t *x, const int32_t *multiplier, int8_t *y,
                int32_t x_zp, int32_t shift, int32_t y_zp, int32_t lo, int32_t hi)
    convsum (also matrix products; y is the sums):
      int32_t K(const int8_t *x, const int8_t *w, const int32_t *bias, int32_t *y, int8_t *scratch, int32_t x_zp)
    shiftconv: as conv; w holds packed codes of 2, 3 or 4 bits
    conv16, shiftconv16 (also matrix products): as conv and shiftconv; x and y are int8_t * or int16_t *
    binaryconv (also binary matrix products):
      int32_t K(const uint32_t *x, const int8_t *w, const int32_t *bias, const int32_t *multiplier, int8_t *y,
                int8_t *scratch, int32_t shift, int32_t y_zp, int32_t lo, int32_t hi)
    binarize (bit = (x < limit[c]) ^ flip[c]; flip is packed bits):
      int32_t K(const int8_t *x, const int8_t *limit, const uint32_t *flip, uint32_t *y)
    binarymaxpool (flip: packed bits, 1 where the channel's minimum is wanted):
      int32_t K(const uint32_t *x, const uint32_t *flip, uint32_t *y)
    piecewiselinear (multipliers and offsets of piece 0, then of piece 1; piece 1 where x - x_zp >= knee):
      int32_t K(const int8_t *x, const int32_t *knee, const int32_t *multiplier, const int32_t *offset, int8_t *y,
                int32_t x_zp, int32_t shift, int32_t y_zp, int32_t lo, int32_t hi)
    table (y = results[x + 128]):
      int32_t K(const int8_t *x, const int8_t *results, int8_t *y)
    multiply (acc = (a - a_zp) * (b - b_zp) + bias):
      int32_t K(const int8_t *a, const int8_t *b, const int32_t *bias, const int32_t *multiplier, int8_t *y,
                int32_t a_zp, int32_t b_zp, int32_t shift, int32_t y_zp, int32_t lo, int32_t hi)
    maxpool:
      int32_t K(const int8_t *x, int8_t *y)
    add:
      int32_t K(const int8_t *a, const int8_t *b, int8_t *y, int32_t a_zp, int32_t a_multiplier, int32_t b_zp,
                int32_t b_multiplier, int32_t shift, int32_t y_zp, int32_t lo, int32_t hi)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

Isa = Literal["avx2", "neon", "neondot", "neon32", "simd128", "scalar", "dsp"]
"""avx2: x86-64; neon: arm64 without dot product; neondot: with; neon32: armv7; simd128: wasm; scalar: C; dsp:
thumbv7em."""


@dataclass(frozen=True)
class ConvShape:
    """Geometry of a convolution in NHWC; a matrix product of M rows is a 1×1 convolution over a 1×M image."""

    h: int
    w: int
    cin: int
    ho: int
    wo: int
    cout: int
    kh: int
    kw: int
    stride_h: int
    stride_w: int
    top: int
    left: int
    dilation_h: int
    dilation_w: int
    group: int
    wide: bool
    packed: bool = False
    """Whether y is packed bits."""


@dataclass(frozen=True)
class ShiftConvShape(ConvShape):
    """Geometry of a convolution by weights of ±2**S in `bits` bits."""

    bits: int = 3


@dataclass(frozen=True)
class Conv16Shape(ConvShape):
    """Geometry of a convolution whose x or y has 16 bits."""

    x_bits: Literal[8, 16] = 8
    y_bits: Literal[8, 16] = 8


@dataclass(frozen=True)
class ShiftConv16Shape(ShiftConvShape):
    """The same, by weights of ±2**S."""

    x_bits: Literal[8, 16] = 8
    y_bits: Literal[8, 16] = 8


@dataclass(frozen=True)
class BinaryConvShape:
    """Geometry of a convolution of packed bits in NHWC; `pad_value` is what padding counts as: -1, 0 or +1."""

    h: int
    w: int
    cin: int
    ho: int
    wo: int
    cout: int
    kh: int
    kw: int
    stride_h: int
    stride_w: int
    top: int
    left: int
    dilation_h: int
    dilation_w: int
    pad_value: int
    wide: bool
    packed: bool


@dataclass(frozen=True)
class PoolShape:
    """Geometry of a pooling window in NHWC; `wide` matters to averages only."""

    h: int
    w: int
    c: int
    ho: int
    wo: int
    kh: int
    kw: int
    stride_h: int
    stride_w: int
    top: int
    left: int
    dilation_h: int
    dilation_w: int
    wide: bool


@dataclass(frozen=True)
class ElementShape:
    """`pixels` × `channels` elements; multipliers are per channel when `per_channel`, else one for all."""

    pixels: int
    channels: int
    per_channel: bool
    wide: bool


@dataclass(frozen=True)
class MultiplyShape:
    """`pixels` × `channels` elements of a; b has one value for all, for each pixel, or for each element."""

    pixels: int
    channels: int
    b_values: int
    wide: bool
    packed: bool


Shape = ConvShape | BinaryConvShape | PoolShape | ElementShape | MultiplyShape


@dataclass(frozen=True)
class Packed:
    """Constants in the order in which a kernel reads them, little-endian bytes; empty where it reads none."""

    weight: bytes = b""
    bias: bytes = b""
    multiplier: bytes = b""


class Kernel(ABC):
    """One template, fixed to one shape and instruction set: its symbol, its constants, its scratch, its TIR."""

    kind: ClassVar[str]
    shape: Any
    isa: Isa

    @property
    @abstractmethod
    def name(self) -> str:
        """`<types>_<kind>_<tile>_<isa>`, by the grammar in docs/add-a-kernel.md, such as `s8_conv_4x16_neondot`."""

    @property
    def scratch_bytes(self) -> int:
        """Bytes of scratch that one call needs."""
        return 0

    @property
    def in_place(self) -> tuple[int, ...]:
        """Inputs (by position) whose storage the output may take, at the same address."""
        return ()

    @property
    def symbol(self) -> str:
        """The C symbol: the name and the geometry, so equal geometry shares code."""
        fields = "_".join(str(int(v)).replace("-", "m") for v in vars(self.shape).values())
        return f"tinsmith_{self.name}_{fields}"

    @abstractmethod
    def prim_func(self) -> Any:
        """The kernel as a `tvm.tirx.PrimFunc` with the signature of its kind. Imports tvm."""


@dataclass(frozen=True)
class ElementKernel(Kernel):
    """The one kernel of its kind: it takes every number of elements, on every instruction set."""

    shape: ElementShape
    isa: Isa

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """Every size."""
        return kind == cls.kind and isinstance(shape, ElementShape)


class WeightedKernel(Kernel):
    """A kernel with weights: conv, depthwise, matmul."""

    @abstractmethod
    def pack(
        self,
        weight: npt.NDArray[np.int8],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Reorder weight (Cout, kh, kw, Cin / group) for the kernel; `x_zero_point` is the stored one."""
