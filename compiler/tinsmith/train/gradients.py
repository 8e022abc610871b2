"""Values whose gradient is that of something else: the one trick behind every straight-through estimator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Slope(torch.autograd.Function):
    """`value` forward; `slope * gradient` to x backward."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None]:
        (slope,) = ctx.saved_tensors
        return None, gradient * slope, None


class _Substitute(torch.autograd.Function):
    """`value` forward; the gradient passes to `surrogate` unchanged."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, surrogate: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        return None, gradient


def with_slope(value: Tensor, x: Tensor, slope: Tensor) -> Tensor:
    """`value`, with `slope` as its derivative by `x`; the three have one shape. `value` and `slope` are constants."""
    result: Tensor = _Slope.apply(value.detach(), x, slope.detach())
    return result


def with_gradient_of(value: Tensor, surrogate: Tensor) -> Tensor:
    """`value`, with the gradient that `surrogate` (of the same shape) has.

    `surrogate + (value - surrogate).detach()` does the same but rounds, so that its ±1 are not quite ±1.
    """
    result: Tensor = _Substitute.apply(value.detach(), surrogate)
    return result
