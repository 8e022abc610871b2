"""Forward and gradient of every method, for Linear, Conv1d and Conv2d, against the formulas written out."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
from tinsmith.errors import TinsmithError  # noqa: E402
from tinsmith.train import signs  # noqa: E402
from tinsmith.train.binary_layer import BinaryLayer  # noqa: E402
from tinsmith.train.methods import METHODS  # noqa: E402
from tinsmith.train.methods.fda import FDA  # noqa: E402
from tinsmith.train.methods.recu import ReCU  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

SHAPES = {"linear": (5, 6), "conv1d": (3, 6, 9), "conv2d": (3, 6, 7, 5)}
ALPHA = {"xnor", "dorefa", "birealnet", "reactnet", "fda"}
"""Methods whose weights are scaled by the mean magnitude of an output channel."""


def make(kind: str, method: str, pad_value: int = 1) -> BinaryLayer:
    layers = {
        "linear": lambda: nn.Linear(6, 4),
        "conv1d": lambda: nn.Conv1d(6, 4, 3, stride=2, padding=1),
        "conv2d": lambda: nn.Conv2d(6, 4, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
    }
    return BinaryLayer(layers[kind](), METHODS[method], pad_value)


def plain(kind: str, x: Tensor, weight: Tensor, pad_value: float) -> Tensor:
    """The layer's product of signs, by torch alone."""
    if kind == "linear":
        return functional.linear(x, weight)
    if kind == "conv1d":
        return functional.conv1d(functional.pad(x, (1, 1), value=pad_value), weight, stride=2)
    padded = functional.pad(x, (2, 2, 1, 1), value=pad_value)
    return functional.conv2d(padded, weight, stride=(2, 1), dilation=(1, 2))


def expected(kind: str, method: str, layer: BinaryLayer, x: Tensor, pad_value: float) -> Tensor:
    """What the method computes in evaluation, written out a second time."""
    weight = layer.weight.detach()
    if method == "recu" or (method == "xnor" and kind == "linear"):
        weight = weight - weight.mean(dim=tuple(range(1, weight.dim())), keepdim=True)
    bits = torch.where(weight >= 0, 1.0, -1.0)
    if method in ALPHA:
        bits = bits * weight.abs().mean(dim=tuple(range(1, weight.dim())), keepdim=True)
    y = plain(kind, torch.where(x >= 0, 1.0, -1.0), bits, pad_value)
    if method == "xnor":
        axes = (-1,) if kind == "linear" else tuple(range(1, x.dim()))
        y = y * x.abs().mean(dim=axes, keepdim=True)
    trailing = (1,) * (y.dim() - 2)
    if method == "recu":
        y = y * layer.method.channel_scale.detach().reshape(-1, *trailing)
    return y + layer.bias.detach().reshape(-1, *trailing)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pad_value", [1, -1, 0])
def test_forward(kind: str, method: str, pad_value: int) -> None:
    layer = make(kind, method, pad_value).eval()
    x = torch.randn(SHAPES[kind])
    x.flatten()[::7] = 0.0
    torch.testing.assert_close(layer(x).detach(), expected(kind, method, layer, x, pad_value))


def input_slope(method: str, x: Tensor) -> Tensor:
    if method in {"birealnet", "reactnet", "recu"}:
        return signs.triangle_slope(x)
    return signs.fourier_slope(x, 9) if method == "fda" else signs.clip_slope(x)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("method", METHODS)
def test_gradient_of_the_input(kind: str, method: str) -> None:
    """Evaluation mode: neither FDA's noise nor ReCU's division by a deviation, which are tested on their own."""
    layer = make(kind, method).eval()
    x = (torch.randn(SHAPES[kind]) * 0.8).requires_grad_()
    bits = layer.method.activation(x)
    outer = torch.randn(SHAPES[kind])
    (bits * outer).sum().backward()
    torch.testing.assert_close(x.grad, outer * input_slope(method, x.detach()))


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("method", sorted(set(METHODS) - {"recu"}))
def test_gradient_of_the_weights(kind: str, method: str) -> None:
    layer = make(kind, method).eval()
    layer.weight.data.mul_(12)  # some beyond ±1
    weight = layer.weight.detach().clone()
    outer = torch.randn(weight.shape)
    (layer.method.weight(layer.weight) * outer).sum().backward()
    if method == "fda":
        slope = signs.fourier_slope(weight, 9) * signs.mean_magnitude(weight)
        wanted = outer * slope
    elif method == "xnor" and kind == "linear":
        passed = outer * signs.clip_slope(weight - weight.mean(1, keepdim=True))
        wanted = passed - passed.mean(1, keepdim=True)  # through the centring
    else:
        wanted = outer * signs.clip_slope(weight)
    assert (signs.clip_slope(weight) == 0).any()
    torch.testing.assert_close(layer.weight.grad, wanted)


@pytest.mark.parametrize("kind", SHAPES)
def test_recu_has_the_gradient_of_the_clamped_weights(kind: str) -> None:
    layer = make(kind, "recu").double()
    outer = torch.randn(layer.weight.shape, dtype=torch.float64)
    (layer.method.weight(layer.weight) * outer).sum().backward()

    weight = layer.weight.detach()
    axes = tuple(range(1, weight.dim()))

    def standard(w: Tensor) -> Tensor:
        centred = w - w.mean(axes, keepdim=True)
        return centred / ((centred.var(axes, keepdim=True) + 1e-5).sqrt() / (2 * math.sqrt(2)))

    bound = -standard(weight).abs().mean() * math.log(2 - 2 * 0.85)
    assert (standard(weight).abs() > bound).any()
    step = 1e-6
    for index in range(0, weight.numel(), 11):
        moved = torch.zeros(weight.numel(), dtype=torch.float64)
        moved[index] = step
        moved = moved.reshape(weight.shape)
        # The bound is a constant for the gradient.
        ends = [(standard(w).clamp(-bound, bound) * outer).sum() for w in (weight + moved, weight - moved)]
        assert float(layer.weight.grad.flatten()[index]) == pytest.approx(
            float(ends[0] - ends[1]) / (2 * step), abs=1e-5
        )


def test_recu_standardises_inputs_in_training_only() -> None:
    method = make("conv2d", "recu").method
    x = torch.randn(SHAPES["conv2d"]) * 3
    outer = torch.randn(x.shape)
    grads = []
    for mode in (True, False):
        leaf = x.clone().requires_grad_()
        bits = method.train(mode).activation(leaf)
        assert torch.equal(bits.detach(), signs.sign(x))
        (bits * outer).sum().backward()
        grads.append(leaf)
    # |x| > 1 has no gradient as it stands, but has one after division by a deviation of about 3.
    inside = (x.abs() > 1) & (x.abs() < 2)
    assert inside.any()
    assert (grads[1].grad[inside] == 0).all()
    assert (grads[0].grad[inside] != 0).any()


def test_recu_schedule_runs_from_085_to_099() -> None:
    method = make("linear", "recu").method
    assert isinstance(method, ReCU)
    method.schedule(0.0)
    assert method.tau == pytest.approx(0.85)
    method.schedule(0.5)
    assert method.tau == pytest.approx(0.85 + 0.14 * (math.exp(0.5) - 1) / (math.e - 1))
    method.schedule(1.0)
    assert method.tau == pytest.approx(0.99)


def test_fda_noise_fades_and_is_absent_in_evaluation() -> None:
    layer = make("conv2d", "fda")
    method = layer.method
    assert isinstance(method, FDA)
    x = torch.randn(SHAPES["conv2d"])
    quiet = layer.eval()(x)
    distances = []
    epochs = 10
    for epoch in range(epochs):
        method.schedule(epoch / epochs, 1 / epochs)
        assert method.eta == pytest.approx(0.05 * (1 + math.cos(math.pi * (epoch + 1) / epochs)))
        assert method.terms == 9 + int(9 * epoch / epochs)
        assert torch.equal(layer.eval()(x), quiet)
        distances.append(float((layer.train()(x) - quiet).detach().abs().max()))
    assert distances == sorted(distances, reverse=True)
    assert distances[0] > 0.01
    assert distances[-1] == 0


def test_fda_noise_is_the_written_function() -> None:
    layer = make("linear", "fda").train()
    x = torch.randn(5, 6)
    noise = layer.method.input_noise
    hidden = (x @ noise.fc1.weight.T).clamp(min=0)
    wanted = signs.sign(x) + 0.1 * (hidden @ noise.fc2.weight.T + 0.1 * torch.sin(x))
    torch.testing.assert_close(layer.method.activation(x), wanted)
    assert noise.fc1.weight.shape == (1, 6)


def test_reactnet_threshold_moves_forward_and_gradient() -> None:
    for kind, shape in SHAPES.items():
        layer = make(kind, "reactnet")
        axis = 1
        layer.method.shift.data = torch.linspace(-0.6, 0.6, 6)
        moved = layer.method.shift.detach().reshape(-1, *(1,) * (len(shape) - 2))
        x = (torch.randn(shape) * 0.5).requires_grad_()
        bits = layer.method.activation(x)
        assert torch.equal(bits.detach(), signs.sign(x.detach() + moved)), kind
        bits.sum().backward()
        slope = signs.triangle_slope(x.detach() + moved)
        torch.testing.assert_close(x.grad, slope)
        torch.testing.assert_close(layer.method.shift.grad, slope.sum(dim=[a for a in range(x.dim()) if a != axis]))


def test_xnor_plus_scales_every_axis_and_keeps_its_sizes() -> None:
    layer = make("conv2d", "xnor++")
    x = torch.randn(SHAPES["conv2d"])
    first = layer(x)
    rows, columns = layer.method.position_scale.axis0, layer.method.position_scale.axis1
    assert (rows.numel(), columns.numel()) == tuple(first.shape[2:])
    rows.data[1] = 3.0
    columns.data[2] = 5.0
    layer.method.channel_scale.data[0] = 7.0
    bias = layer.bias.detach().reshape(-1, 1, 1)
    ratio = ((layer(x) - bias) / (first - bias)).detach()
    assert float(ratio[0, 0, 1, 2]) == pytest.approx(105, rel=1e-4)
    assert float(ratio[0, 1, 0, 0]) == pytest.approx(1, rel=1e-4)
    with pytest.raises(TinsmithError, match="positions"):
        layer(torch.randn(1, 6, 20, 20))
    again = make("conv2d", "xnor++")
    again.load_state_dict(layer.state_dict())
    assert torch.equal(again(x), layer(x))


def test_xnor_scale_does_not_multiply_gradients() -> None:
    layer = make("conv2d", "xnor")
    layer.weight.data = torch.sign(layer.weight.data)  # α = 1
    x = (torch.randn(SHAPES["conv2d"]) * 0.1).requires_grad_()  # K is about 0.08
    layer(x).sum().backward()
    weights = signs.sign(layer.weight.detach())
    leaf = torch.zeros(SHAPES["conv2d"], requires_grad=True)
    plain("conv2d", leaf, weights, 0.0).sum().backward()
    torch.testing.assert_close(x.grad, leaf.grad)
