"""What the depthwise templates of every instruction set share: the order of their constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import ConvShape, Packed, WeightedKernel
from tinsmith_backends.cpu.kernels.bits import sign_bytes


class DepthwiseKernel(WeightedKernel):
    """A depthwise kernel: it subtracts the input's zero point as it reads, so the bias stays as it is.

    Where the output is bits, signs are collected for as many pixels as a tile has, and then packed.
    """

    shape: ConvShape

    @property
    def pixels(self) -> int:
        """Pixels of one tile."""
        return 1

    @property
    def types(self) -> str:
        """The first part of a name."""
        return "s8_b1" if self.shape.packed else "s8"

    @property
    def sign_start(self) -> int:
        """Bytes of scratch in front of the signs."""
        return 0

    @property
    def scratch_bytes(self) -> int:
        """The signs of a tile."""
        return self.sign_start + (sign_bytes(self.pixels, self.shape.cout) if self.shape.packed else 0)

    def signs(self, f: Any, k: Any) -> Any:
        """Where signs are collected; None where the output is bytes. For `prim_func`, in front of its loops."""
        from tinsmith_backends.cpu.kernels.pack_bits import SignRows

        rows = (self.sign_start, self.pixels, self.shape.cout)
        return SignRows(f, self.isa, k.scratch, *rows) if self.shape.packed else None

    def pack(
        self,
        weight: npt.NDArray[np.int8],
        bias: npt.NDArray[np.int32],
        multiplier: npt.NDArray[np.int32],
        x_zero_point: int,
    ) -> Packed:
        """Channels last."""
        del x_zero_point
        last = np.ascontiguousarray(weight[..., 0].transpose(1, 2, 0))
        return Packed(last.tobytes(), bias.astype("<i4").tobytes(), multiplier.astype("<i4").tobytes())
