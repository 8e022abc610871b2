"""What the depthwise templates of every instruction set share: the order of their constants."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinsmith_backends.cpu.kernels.base import Packed, WeightedKernel


class DepthwiseKernel(WeightedKernel):
    """A depthwise kernel: it subtracts the input's zero point as it reads, so the bias stays as it is."""

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
