"""binarize and shift: which layers they take, and what they say about the others."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from tinsmith.errors import TinsmithError  # noqa: E402
from tinsmith.train import binarize, shift  # noqa: E402
from tinsmith.train.binary_layer import BinaryLayer  # noqa: E402
from tinsmith.train.methods import METHODS  # noqa: E402
from tinsmith.train.networks import MLP, BiRealResNet, ReActMobileNet, TransformerEncoder, VGGSmall  # noqa: E402
from tinsmith.train.shift_layer import ShiftLayer  # noqa: E402
from torch import nn  # noqa: E402

NETWORKS = {
    "mlp": lambda: MLP(64, (32, 32)),
    "vgg": lambda: VGGSmall(8, width=8),
    "resnet": lambda: BiRealResNet(widths=(8, 16), depth=1),
    "mobilenet": lambda: ReActMobileNet(width=8, strides=(1, 2)),
    "transformer": lambda: TransformerEncoder(8, width=16, depth=1),
}


def problems(*args: object, **kwargs: object) -> str:
    with pytest.raises(TinsmithError) as caught:
        binarize(*args, **kwargs)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_every_network(name: str, method: str) -> None:
    net = binarize(NETWORKS[name](), method, skip=["stem", "head"])
    y = net(torch.randn(4, 1, 8, 8))
    assert y.shape == (4, 10)
    y.square().sum().backward()
    for parameter_name, parameter in net.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name


@pytest.mark.parametrize("name", NETWORKS)
def test_28_by_28_images(name: str) -> None:
    sized = {
        "mlp": lambda: MLP(784),
        "vgg": lambda: VGGSmall(28),
        "transformer": lambda: TransformerEncoder(28, patch=4),
    }
    assert sized.get(name, NETWORKS[name])()(torch.randn(2, 1, 28, 28)).shape == (2, 10)


def test_layers_and_relus_are_exchanged_in_a_copy() -> None:
    net = VGGSmall(8, width=8)
    made = binarize(net, "bnn", skip=["stem", "head"], pad_value=-1)
    assert not any(isinstance(module, BinaryLayer | nn.Hardtanh) for module in net.modules())
    layers = [module for module in made.modules() if isinstance(module, BinaryLayer)]
    assert [layer.pad_value for layer in layers] == [-1] * 5
    assert not any(isinstance(module, nn.ReLU) for module in made.modules())
    assert torch.equal(layers[0].weight, net.blocks[0][0].weight)
    assert layers[0].weight is not net.blocks[0][0].weight
    assert any(isinstance(m, nn.ReLU) for m in binarize(net, "bnn", ["stem"], keep_relu=True).modules())


def test_a_layer_in_two_places_stays_one() -> None:
    shared = nn.Linear(8, 8)
    net = nn.Sequential(nn.Linear(8, 8), shared, nn.Hardtanh(), shared)
    made = binarize(net, "dorefa", skip=["0"])
    assert isinstance(made[1], BinaryLayer)
    assert made[1] is made[3]


def test_unknown_method_names_the_nearest() -> None:
    net = MLP(64)
    assert "method='xnor++'" in problems(net, "XNORpp++", ["stem"])
    assert "method='reactnet'" in problems(net, "react", ["stem"])


def test_skip_that_matches_nothing_names_the_nearest() -> None:
    text = problems(MLP(64), "bnn", ["stem", "haed"])
    assert "'haed' matches no layer" in text
    assert "'head'" in text


def test_first_layer_on_an_image() -> None:
    text = problems(BiRealResNet(), "bnn")
    assert "stem.0: Conv2d(1 → 32, kernel 3×3, padding ((1, 1), (1, 1))) sees the network's input" in text
    assert "skip='stem.0'" in text
    # Parameters of a module around the first layer do not hide it.
    assert "stem: Conv2d" in problems(TransformerEncoder(8), "bnn")
    assert isinstance(binarize(MLP(64), "bnn", binary_input=True).stem[0], BinaryLayer)


def test_everything_wrong_is_said_at_once() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 8, 3, groups=2),
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        nn.MultiheadAttention(8, 2),
    )
    text = problems(net, "bn", skip=["stam"], pad_value=2)
    for part in (
        "no binarization method 'bn'",
        "pad_value=2",
        "'stam' matches no layer",
        "0: Conv2d",
        "a depthwise convolution",
        "a grouped convolution",
        "pads with 'reflect'",
        "NonDynamicallyQuantizableLinear",
    ):
        assert part in text, part


def test_recu_refuses_single_weights() -> None:
    assert "one weight" in problems(nn.Sequential(nn.Linear(4, 1), nn.Linear(1, 4)), "recu", ["0"])


def test_nothing_left() -> None:
    assert "no layer is left" in problems(MLP(64), "bnn", ["*"])


@pytest.mark.parametrize("padding", [0, 1, "same", "valid", (2, 0)])
@pytest.mark.parametrize("kernel", [2, 3])
def test_zero_padding_is_torchs_own(padding: object, kernel: int) -> None:
    convolution = nn.Conv2d(3, 4, kernel, padding=padding, dilation=(1, 2))  # type: ignore[arg-type]
    layer = shift(nn.Sequential(convolution), bits=2)[0]
    x = torch.randn(2, 3, 8, 9)
    convolution.weight.data = layer.weight().detach() * 2.0**layer.scale_exponent
    torch.testing.assert_close(layer(x), convolution(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_shift_takes_every_network(name: str) -> None:
    net = shift(NETWORKS[name](), bits=3)
    assert not any(type(module) in (nn.Linear, nn.Conv2d) for module in net.modules())
    net(torch.randn(4, 1, 8, 8)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_shift_takes_depthwise_convolutions_and_says_what_is_wrong() -> None:
    layer = shift(nn.Sequential(nn.Conv1d(4, 4, 3, groups=4)))[0]
    assert isinstance(layer, ShiftLayer)
    assert layer(torch.randn(2, 4, 9)).shape == (2, 4, 7)
    with pytest.raises(TinsmithError) as caught:
        shift(MLP(64), bits=5, skip=["bocks"])
    assert "bits=5" in str(caught.value)
    assert "'blocks'" in str(caught.value)
