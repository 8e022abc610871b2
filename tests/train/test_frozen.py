"""Layers in inference: what is frozen computes what was trained, signs exactly."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")
from test_methods import SHAPES, make  # noqa: E402
from tinsmith.errors import TinsmithError  # noqa: E402
from tinsmith.train.binary_layer import BinaryLayer  # noqa: E402
from tinsmith.train.frozen import FrozenBinary, freeze  # noqa: E402
from tinsmith.train.methods import METHODS  # noqa: E402
from tinsmith.train.methods.bnn import BNN  # noqa: E402
from tinsmith.train.shift_layer import ShiftLayer  # noqa: E402
from torch import Tensor, nn  # noqa: E402


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pad_value", [1, -1, 0])
def test_a_frozen_layer_computes_the_same(kind: str, method: str, pad_value: int) -> None:
    layer = make(kind, method, pad_value).eval()
    x = torch.randn(SHAPES[kind])
    x.flatten()[::7] = 0.0
    layer(x)
    for parameter in layer.method.parameters():
        parameter.data.uniform_(-1, 1)
    frozen = freeze(layer)
    assert isinstance(frozen, FrozenBinary)
    assert torch.equal(frozen.sign(x), layer.method.activation(x))
    assert frozen.stored.dtype == torch.int8
    torch.testing.assert_close(frozen(x), layer(x).detach())
    assert frozen(x).shape == frozen.geometry.output_shape(tuple(x.shape))


def test_a_learned_threshold_is_met_exactly() -> None:
    layer = make("conv1d", "reactnet").eval()
    layer.method.shift.data = torch.tensor([0.0, 0.1, -0.1, 1e-30, -3.3, 7.7])
    edge = -layer.method.shift.detach()
    around = [edge, torch.nextafter(edge, torch.tensor(9.0)), torch.nextafter(edge, torch.tensor(-9.0))]
    x = torch.stack(around, dim=1)[None]
    bits = layer.method.activation(x).detach()
    assert torch.equal(freeze(layer).sign(x), bits)
    assert bits.tolist()[0] == [[1.0, 1.0, -1.0]] * 6


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: nn.Linear(6, 4), (5, 6)),
        (lambda: nn.Conv1d(6, 4, 3, padding=1, groups=2), (2, 6, 9)),
        (lambda: nn.Conv2d(6, 6, 3, stride=2, groups=6), (2, 6, 7, 5)),
    ],
)
def test_a_frozen_shift_layer_computes_the_same(
    bits: int, build: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    trained = ShiftLayer(build(), bits).eval()
    frozen = freeze(trained)
    x = torch.randn(shape)
    assert int(frozen.stored.max()) < 2**bits
    torch.testing.assert_close(frozen(x), trained(x).detach())


def test_the_network_is_left_as_it_was() -> None:
    net = nn.Sequential(BinaryLayer(nn.Linear(3, 3), BNN, 1), nn.Dropout()).train()
    freeze(net)
    assert isinstance(net[0], BinaryLayer)
    assert net.training


def test_weights_of_two_sizes_are_refused() -> None:
    class Uneven(BNN):
        """A method with a fault."""

        name = "uneven"

        def weight(self, weight: Tensor) -> Tensor:
            return weight

    with pytest.raises(TinsmithError, match=r"0: its weights are not ± one number"):
        freeze(nn.Sequential(BinaryLayer(nn.Linear(3, 3), Uneven, 1)))
