"""Depthwise convolution by powers of two: all weights are decoded once a call, then the dense template goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Isa, Packed, Shape, ShiftConvShape
from tinsmith_backends.cpu.kernels.depthwise import Depthwise
from tinsmith_backends.cpu.kernels.depthwise_base import DepthwiseKernel
from tinsmith_backends.cpu.kernels.depthwise_scalar import DepthwiseScalar
from tinsmith_backends.cpu.kernels.shift_codes import RUN, encode, pack_runs, runs


class ShiftDepthwiseKernel(DepthwiseKernel):
    """What both templates share: the order of their constants is that of the dense template, in runs of codes."""

    shape: ShiftConvShape
    decoded_bytes: ClassVar[int]
    """Bytes of a decoded weight."""

    @property
    def types(self) -> str:
        """The first part of a name."""
        return f"s8p{self.shape.bits}{'_b1' if self.shape.packed else ''}"

    @property
    def runs(self) -> int:
        """Runs of codes."""
        return runs(self.shape.kh * self.shape.kw * self.shape.cout)

    @property
    def sign_start(self) -> int:
        """Signs stand behind the decoded weights."""
        return self.runs * RUN * self.decoded_bytes

    def pack(
        self,
        weight: npt.NDArray[np.signedinteger[Any]],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Codes of true weights, channels last."""
        bits = self.shape.bits
        packed = super().pack(encode(weight, bits), bias, multiplier, x_zero_point)
        return Packed(pack_runs(np.frombuffer(packed.weight, np.int8)[None], bits), packed.bias, packed.multiplier)


@dataclass(frozen=True)
class ShiftDepthwise(ShiftDepthwiseKernel, Depthwise):
    """On SIMD instruction sets, as int16."""

    kind: ClassVar[str] = "shiftconv"
    decoded_bytes: ClassVar[int] = 2
    shape: ShiftConvShape

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """One input and one output channel a group, and more groups than one."""
        shift = kind == "shiftconv" and isinstance(shape, ShiftConvShape) and shape.group > 1
        return shift and Depthwise.supports("depthwise", shape, isa)

    def prim_func(self) -> Any:
        """Decodes, then rows, tiles of pixels, vectors of channels."""
        from tinsmith_backends.cpu.kernels.depthwise_emit import DepthwiseEmitter
        from tinsmith_backends.cpu.kernels.shift_decode import Decoder

        emitter = DepthwiseEmitter(self)
        emitter.w = emitter.f.view(emitter.k.scratch, "int16")
        Decoder(emitter.f, self.isa, self.shape.bits, "int16").runs(emitter.k.w, 0, emitter.w, 0, self.runs)
        return emitter.function()


@dataclass(frozen=True)
class ShiftDepthwiseScalar(ShiftDepthwiseKernel, DepthwiseScalar):
    """In plain loops, for the C target."""

    kind: ClassVar[str] = "shiftconv"
    decoded_bytes: ClassVar[int] = 1
    shape: ShiftConvShape

    @classmethod
    def supports(cls, kind: str, shape: Shape, isa: Isa) -> bool:
        """One input channel a group, more groups than one, any number of output channels a group."""
        shift = kind == "shiftconv" and isinstance(shape, ShiftConvShape) and shape.group > 1
        return shift and DepthwiseScalar.supports("depthwise", shape, isa)

    def prepare(self, f: Any, k: Any) -> None:
        """Decode all weights."""
        from tinsmith_backends.cpu.kernels.shift_decode_plain import decode_plain

        decode_plain(f, k, self.shape.bits, 0, 0, self.runs)

    def weight(self, f: Any, k: Any, at: Any) -> Any:
        """Out of scratch."""
        from tinsmith_backends.cpu.kernels.shift_decode_plain import decoded

        return decoded(f, k, self.shape.bits, at)
