"""The stand-in derivatives, against finite differences of what they stand in for."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")
from tinsmith.train import signs  # noqa: E402
from tinsmith.train.gradients import with_gradient_of, with_slope  # noqa: E402

STEP = 1e-6


def quadratic_sign(x: torch.Tensor) -> torch.Tensor:
    inside = torch.where(x < 0, x**2 + 2 * x, -(x**2) + 2 * x)
    return torch.where(x < -1, -1.0, torch.where(x >= 1, 1.0, inside))


def fourier_sign(terms: int) -> Callable[[torch.Tensor], torch.Tensor]:
    def series(x: torch.Tensor) -> torch.Tensor:
        odd = [2 * i + 1 for i in range(terms + 1)]
        value = 4 / math.pi * sum(torch.sin(k * 0.1 * x) / k for k in odd)
        edge = 4 / math.pi * sum(math.sin(k * 0.1) / k for k in odd)
        return torch.where(x.abs() <= 1, value, torch.sign(x) * edge)

    return series


@pytest.mark.parametrize(
    ("slope", "function"),
    [
        (signs.clip_slope, lambda x: x.clamp(-1, 1)),
        (signs.triangle_slope, quadratic_sign),
        (lambda x: signs.fourier_slope(x, 9), fourier_sign(9)),
        (lambda x: signs.fourier_slope(x, 18), fourier_sign(18)),
    ],
)
def test_slope_is_the_derivative(
    slope: Callable[[torch.Tensor], torch.Tensor], function: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    x = torch.linspace(-1.5, 1.5, 302, dtype=torch.float64)  # 302 points: none on a corner
    expected = (function(x + STEP) - function(x - STEP)) / (2 * STEP)
    torch.testing.assert_close(slope(x), expected, atol=1e-6, rtol=1e-6)


def test_fourier_slope_at_zero_is_the_number_of_terms() -> None:
    at_zero = signs.fourier_slope(torch.zeros(1), 9)
    assert float(at_zero) == pytest.approx(4 * 0.1 / math.pi * 10)


def test_slopes_end_where_they_should() -> None:
    x = torch.tensor([-1.0, 1.0, 1.0001, -1.0001])
    assert signs.clip_slope(x).tolist() == [1, 1, 0, 0]
    assert signs.fourier_slope(x, 9)[2:].tolist() == [0, 0]
    assert (signs.fourier_slope(x, 9)[:2] != 0).all()


def test_sign_of_zero_is_plus_one() -> None:
    assert signs.sign(torch.tensor([0.0, -0.0, 1e-30, -1e-30])).tolist() == [1, 1, 1, -1]


def test_scaled_sign_has_channel_means_and_unscaled_gradient() -> None:
    weight = torch.tensor([[0.5, -0.1], [2.0, -0.2]], requires_grad=True)
    scaled = signs.scaled_sign(weight)
    torch.testing.assert_close(scaled, torch.tensor([[0.3, -0.3], [1.1, -1.1]]))
    (scaled * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[1, 2], [0, 4]]


def test_replaced_values_are_exact() -> None:
    x = torch.randn(1000, requires_grad=True)
    assert set(with_gradient_of(signs.sign(x), x).tolist()) == {1.0, -1.0}
    assert set(with_slope(signs.sign(x), x, torch.ones_like(x)).tolist()) == {1.0, -1.0}
