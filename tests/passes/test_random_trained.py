"""Chains of random trained layers: each exact layer is the nearest to float, whatever stands beside what."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from exact_check import check_layers
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize
from tinsmith.passes.lower_exact import lower
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import parse_recipe
from trained_net import TrainedNet

Layer = Callable[[TrainedNet, ir.Value], ir.Value]
SHAPE = (1, 3, 6, 7)


def _channels(net: TrainedNet) -> int:
    return int(net.rng.integers(1, 12))


def _binary(net: TrainedNet, x: ir.Value) -> ir.Value:
    window = {"pads": tuple(net.rng.integers(0, 2, 4).tolist()), "strides": (1, int(net.rng.integers(1, 3)))}
    pad_value = int(net.rng.integers(-1, 2))
    return net.binary_conv(net.binarize(x), _channels(net), (2, 1), pad_value=pad_value, **window)


def _pooled_binary(net: TrainedNet, x: ir.Value) -> ir.Value:
    """A pool between a layer and the signs of the next, with a normalization behind it."""
    return net.binary_conv(net.binarize(net.normalize(net.max_pool(x, (2, 1), strides=(1, 1)))), _channels(net), (1, 1))


def _residual(net: TrainedNet, x: ir.Value) -> ir.Value:
    channels = int(x.shape[1]) if x.shape is not None else 1
    y = net.binary_conv(net.binarize(x), channels, (3, 3), pads=(1, 1, 1, 1), pad_value=int(net.rng.integers(-1, 2)))
    return net.add(net.normalize(y), x)


def _scaled(net: TrainedNet, x: ir.Value) -> ir.Value:
    """XNOR-Net's product by the mean magnitude of the input."""
    mean = net.standard("ReduceMean", [net.standard("Abs", [x]), net.constant(np.array([-3, -2, -1]))], keepdims=1)
    return net.standard("Mul", [net.binary_conv(net.binarize(x), _channels(net), (1, 1)), mean])


def _placed(net: TrainedNet, x: ir.Value) -> ir.Value:
    """A factor at each position."""
    height, width = (int(size) for size in x.shape[2:]) if x.shape is not None else (1, 1)
    return net.standard("Mul", [x, net.numbers(1, 1, height, width, low=0.5, high=2.0)])


LAYERS: dict[str, Layer] = {
    "conv": lambda net, x: net.conv(x, _channels(net), (1, 1)),
    "binary": _binary,
    "pooled": _pooled_binary,
    "residual": _residual,
    "shift": lambda net, x: net.shift_conv(x, _channels(net), (1, 1), bits=int(net.rng.integers(2, 5))),
    "norm": lambda net, x: net.normalize(x),
    "prelu": lambda net, x: net.normalize(net.prelu(net.normalize(x))),
    "relu": lambda net, x: net.relu(x),
    "scaled": _scaled,
    "placed": _placed,
    "transpose": lambda net, x: net.standard("Transpose", [x], perm=[0, 1, 3, 2]),
    "average": lambda net, x: net.average_pool(x, (1, 1)),
}


@given(
    names=st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=6),
    seed=st.integers(0, 2**32 - 1),
    ends_in_bits=st.booleans(),
    activations=st.sampled_from(["8-bit", "16-bit"]),
)
@settings(max_examples=35)
def test_chains(names: list[str], seed: int, ends_in_bits: bool, activations: str) -> None:
    net = TrainedNet(seed)
    value = net.input("x", SHAPE)
    for name in names:
        height = int(value.shape[2]) if value.shape is not None else 0
        value = LAYERS[name](net, value) if height > 1 else value
    net.output(net.binary_conv(net.binarize(value), 3, (1, 1)) if ends_in_bits else net.conv(value, 2, (1, 1)))
    samples = {"x": np.random.default_rng(seed).normal(0, 1, (4, *SHAPE)).astype(np.float32)}
    try:
        model = canonicalize(net.model())
    except TinsmithError as error:  # a Relu in front of signs of which all are +1
        assert "it is always" in str(error)
        return
    quantize(model, samples, parse_recipe({"activations": activations}))
    qdq = model.clone()
    lower(model)
    check_layers(qdq, model, {"x": samples["x"][0]}, rounding=1.2 if "placed" in names else 0.56)
