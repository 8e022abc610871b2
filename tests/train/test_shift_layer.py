"""Weights of powers of two: their values, their gradient, their first distribution."""

from __future__ import annotations

import itertools
import math

import pytest

torch = pytest.importorskip("torch")
from tinsmith.train.shift_layer import INITIAL_DEVIATION, ShiftLayer  # noqa: E402
from torch import Tensor, nn  # noqa: E402


def layer_of(signs: Tensor, gates: Tensor, bits: int) -> ShiftLayer:
    layer = ShiftLayer(nn.Linear(signs.shape[1], signs.shape[0]), bits)
    layer.signs.data, layer.gates.data = signs, gates
    return layer


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_gates_make_every_exponent_and_nothing_else(bits: int) -> None:
    count = 2 ** (bits - 1) - 1
    rows = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=count)))
    layer = layer_of(torch.ones(1, len(rows)), rows.T.unsqueeze(1), bits)
    # The last open run of gates counts: S is how many gates are open at the end.
    wanted = [len(list(itertools.takewhile(lambda t: t > 0, reversed(row)))) for row in rows.tolist()]
    assert layer.exponents()[0].tolist() == wanted
    assert set(wanted) == set(range(count + 1))
    assert layer.weight()[0].tolist() == [2.0**s for s in wanted]


def test_zero_parameters_are_plus_one() -> None:
    layer = layer_of(torch.zeros(1, 1), torch.zeros(3, 1, 1), 3)
    assert layer.weight().tolist() == [[1.0]]


def surrogate(sign: float, gates: list[float]) -> float:
    """sign·√(S+1), the gates being real numbers: what the straight-through gradient is the gradient of."""
    total = 0.0
    for gate in gates:
        total = (total + 1) * gate
    return sign * math.sqrt(total + 1)


@pytest.mark.parametrize("bits", [2, 3])
def test_gradient_is_the_surrogates(bits: int) -> None:
    count = 2 ** (bits - 1) - 1
    step = 1e-5
    for sign, *gates in itertools.product((-1.0, 1.0), (0.0, 1.0), *((0.0, 1.0),) * (count - 1)):
        reals = torch.tensor([g - 0.5 for g in gates], dtype=torch.float64).reshape(count, 1, 1)
        layer = layer_of(torch.tensor([[sign]], dtype=torch.float64), reals, bits)
        layer.weight().sum().backward()
        magnitude = surrogate(1.0, gates)
        assert layer.signs.grad.item() == pytest.approx(magnitude)
        for place in range(count):
            up, down = ([g + d * (i == place) for i, g in enumerate(gates)] for d in (step, -step))
            slope = (surrogate(sign, up) - surrogate(sign, down)) / (2 * step)
            assert layer.gates.grad[place].item() == pytest.approx(slope, abs=1e-6), (sign, gates, place)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_first_parameters_vary_little_and_outputs_have_about_unit_deviation(bits: int) -> None:
    layer = ShiftLayer(nn.Conv2d(32, 64, 3), bits)
    for parameter in (layer.signs, layer.gates):
        assert float(parameter.detach().std()) == pytest.approx(INITIAL_DEVIATION, rel=0.05)
    deviation = float(layer(torch.randn(4, 32, 8, 8)).detach().std())
    assert 0.6 < deviation < 1.6  # a power of two is within √2
