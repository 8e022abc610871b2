"""A Linear, Conv1d or Conv2d whose weights are ± powers of two."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tinsmith.train.geometry import Geometry
from tinsmith.train.gradients import with_gradient_of
from tinsmith.train.signs import sign

BITS = (2, 3, 4)
INITIAL_DEVIATION = 1e-3
"""Standard deviation of all parameters at first: every weight starts near its thresholds, few steps away from any."""


class ShiftLayer(nn.Module):
    """Takes the place of a Linear, Conv1d or Conv2d; its weights are ±2^S with S in 0…2^(bits-1)-1, never zero.

    A weight is one real number for its sign and one for each gate t1, t2 … of its exponent:
    S_0 = 0, S_k = (S_{k-1} + 1)·[t_k > 0], and S is the last of them. Signs and gates pass gradients unchanged, and the
    weight has the gradient of sign·√(S+1) instead of sign·2^S, which keeps large weights from learning too fast.

    The product is multiplied by a fixed power of two that brings it to about unit variance; a batch normalization
    behind the layer makes it irrelevant, and a network without any needs it.

    The replaced layer's weights are not used: methods of this kind train from random signs and gates. Its bias is kept.
    Li and others, "DenseShift", 2023.
    """

    def __init__(self, layer: nn.Module, bits: int) -> None:
        super().__init__()
        self.geometry = Geometry.of(layer)
        self.bits = bits
        gates = 2 ** (bits - 1) - 1
        like = layer.weight.detach()
        self.signs = nn.Parameter(torch.randn_like(like) * INITIAL_DEVIATION)
        self.gates = nn.Parameter(torch.randn(gates, *like.shape, dtype=like.dtype, device=like.device))
        self.gates.data.mul_(INITIAL_DEVIATION)
        self.register_parameter("bias", layer.bias)
        self.scale_exponent = _scale_exponent(gates, self.geometry.fan_in)

    def exponents(self) -> Tensor:
        """S as real numbers 0, 1 … of the shape of the weights, with their straight-through gradient."""
        total = torch.zeros_like(self.signs)
        for gate in self.gates:
            total = (total + 1) * with_gradient_of((gate > 0).to(gate.dtype), gate)
        return total

    def weight(self) -> Tensor:
        """±2^S of the shape of the weights, with the gradient of ±√(S+1)."""
        exponents = self.exponents()
        signs = with_gradient_of(sign(self.signs), self.signs)
        return with_gradient_of(signs * torch.exp2(exponents), signs * torch.sqrt(exponents + 1))

    def forward(self, x: Tensor) -> Tensor:
        """(…, in, *space) → (…, out, *space)."""
        y = self.geometry.product(self.geometry.pad(x, 0.0), self.weight()) * 2.0**self.scale_exponent
        return y if self.bias is None else y + self.geometry.per_channel(self.bias)

    def extra_repr(self) -> str:
        """Sizes and bits."""
        return f"{self.geometry}, bits={self.bits}, scale=2^{self.scale_exponent}"


def _scale_exponent(gates: int, fan_in: int) -> int:
    """log2 of the power of two nearest to 1 / (deviation of a sum of `fan_in` weights whose gates are coin tosses)."""
    square = sum(4.0**s / 2 ** (s + 1) for s in range(gates)) + 4.0**gates / 2**gates
    return -round(math.log2(math.sqrt(square * fan_in)))
