"""Passes around bits: what stands in front of a Binarize goes into it, and the network computes the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import pytest
from float_models import run
from tinsmith.errors import TinsmithError
from tinsmith.ir.bits import is_bit
from tinsmith.ir.provenance import layer_name, source
from tinsmith.passes.pipelines import CANONICAL
from trained_net import TrainedNet

Build = Callable[[TrainedNet], ir.Value]
F32 = np.float32


def image(net: TrainedNet, channels: int = 3) -> ir.Value:
    return net.conv(net.input("x", (1, 3, 9, 8)), channels)


def values(net: TrainedNet, *numbers: float) -> ir.Value:
    return net.constant(np.asarray(numbers, F32).reshape(-1, 1, 1) if len(numbers) > 1 else F32(numbers[0]))


def clip(net: TrainedNet, x: ir.Value, lo: float, hi: float) -> ir.Value:
    return net.standard("Clip", [x, values(net, lo), values(net, hi)])


def binary_then_affine(net: TrainedNet) -> ir.Value:
    y = net.binary_conv(net.binarize(image(net, 5)), 6, pads=(1, 1, 1, 1), pad_value=-1)
    y = net.standard("Mul", [y, net.numbers(6, 1, 1)])
    y = net.standard("Sub", [net.numbers(1, 6, 1, 1), y])
    return net.normalize(net.standard("Div", [y, values(net, -0.7)]))


def shift_then_affine(net: TrainedNet) -> ir.Value:
    y = net.normalize(net.shift_conv(net.input("x", (1, 4, 8, 8)), 6, group=2, bits=4))
    y = net.normalize(net.shift_gemm(net.reshape(y, 1, -1), 5))
    return net.standard("Add", [net.numbers(1, 5), net.standard("Mul", [y, net.numbers(1)])])


def gemm_of_rank_3(net: TrainedNet) -> ir.Value:
    x = net.binarize(net.input("x", (1, 6, 7)))
    return net.standard("Add", [net.standard("Mul", [net.binary_gemm(x, 5), net.numbers(5)]), net.numbers(5)])


def scaled_bits(net: TrainedNet) -> ir.Value:
    """A factor of bits goes behind the moves and into the layer, whose padding is zero."""
    bits = net.standard("Mul", [net.binarize(image(net)), values(net, 0.3)])
    y = net.binary_conv(net.max_pool(bits), 4, pads=(1, 1, 1, 1), pad_value=0)
    bits = net.standard("Div", [net.binarize(y), values(net, 0.3)])
    return net.binary_gemm(net.reshape(net.max_pool(bits), 1, -1), 4)


def affine_chain(net: TrainedNet) -> ir.Value:
    """Negative factors go into the signs of the layer before."""
    x = net.normalize(image(net, 8))
    x = net.standard("Sub", [values(net, 0.2), x])
    return net.binary_conv(net.binarize(net.normalize(x)), 4)


def affine_of_a_sum(net: TrainedNet) -> ir.Value:
    """Nothing in front can take the sign in."""
    x = image(net, 8)
    bits = net.binarize(net.normalize(net.add(x, net.relu(x))))
    return net.binary_conv(bits, 4)


def residual(net: TrainedNet) -> ir.Value:
    """What somebody else reads stays as it is."""
    x = net.relu(image(net, 8))
    return net.add(net.binary_conv(net.binarize(x), 8, pads=(1, 1, 1, 1)), x)


def clips(net: TrainedNet) -> ir.Value:
    x = clip(net, net.normalize(image(net, 6)), -1, 1)
    x = net.binary_conv(net.binarize(x, np.linspace(-0.9, 1, 6).astype(F32).reshape(1, 6, 1, 1)), 4)
    return net.binary_conv(net.binarize(net.relu(x), F32(0.1)), 3)


def some_channels_constant(net: TrainedNet) -> ir.Value:
    """-2 is below all that Relu gives, 1.5 above the clip; the tie at 0 decides the second channel."""
    x = clip(net, net.standard("Mul", [net.relu(image(net, 4)), values(net, 1, -1, 2, 1)]), -3, 1)
    return net.binary_conv(net.binarize(x, np.asarray([-2, 0, 0.5, 1.5], F32).reshape(1, 4, 1, 1)), 4)


def pools(net: TrainedNet) -> ir.Value:
    x = net.max_pool(net.normalize(image(net, 8)), (3, 3), strides=(1, 2), pads=(1, 1, 1, 1))
    x = net.max_pool(net.standard("Mul", [x, values(net, *[1, -1, -0.5, 2, 1, 1, -1, 3])]))
    return net.binary_conv(net.binarize(net.normalize(x)), 4, (2, 2), pads=(1, 1, 1, 1))


def pool_of_a_sum(net: TrainedNet) -> ir.Value:
    x = image(net, 8)
    x = net.standard("Mul", [net.max_pool(net.add(x, net.relu(x))), values(net, *[-1, 1] * 4)])
    return net.binary_conv(net.binarize(x), 4)


def flat(net: TrainedNet) -> ir.Value:
    """A Reshape is passed by one threshold for all, and by thresholds of columns that stay columns."""
    x = net.reshape(image(net, 4), 1, -1)
    return net.binary_gemm(net.binarize(x, F32(0.25)), 3)


def rearranged_values(net: TrainedNet) -> ir.Value:
    """Bits of values that no layer makes are made where they are used."""
    x = net.standard("Sub", [net.reshape(net.relu(net.input("x", (1, 1, 6, 6))), 1, -1), values(net, 0.5)])
    return net.binary_gemm(net.binarize(x, F32(0)), 3)


def columns(net: TrainedNet) -> ir.Value:
    x = net.standard("MatMul", [net.input("x", (1, 7, 5)), net.numbers(5, 6)])
    x = net.standard("Mul", [net.standard("Add", [x, net.numbers(6)]), net.numbers(6)])
    return net.binary_gemm(net.binarize(x), 3)


def thresholds_of_places(net: TrainedNet) -> ir.Value:
    """One threshold a feature does not pass the Reshape."""
    x = net.normalize(net.reshape(image(net, 2), 1, -1))
    return net.binary_gemm(net.binarize(x), 3)


def imported_layers(net: TrainedNet) -> ir.Value:
    """Weights of one size a channel, as other tools write them; a channel of zeros; a grouped layer stays."""
    bits = net.binarize(image(net, 4))
    size = np.asarray([0.5, 0.1, 0, 2], F32).reshape(-1, 1, 1, 1)
    w = net.constant(net.rng.choice([-1, 1], (4, 4, 3, 3)).astype(F32) * size)
    x = net.standard("Conv", [bits, w], pads=(1, 1, 1, 1), strides=(2, 1))
    bits = net.max_pool(net.binarize(net.normalize(x)), (2, 2))
    grouped = net.standard("Conv", [bits, net.constant(net.rng.choice([-1, 1], (4, 2, 1, 1)).astype(F32))], group=2)
    w = net.constant(net.rng.choice([-0.25, 0.25], (24, 5)).astype(F32))
    x = net.standard("MatMul", [net.reshape(net.binarize(grouped), 1, -1), w])
    return net.standard("Gemm", [net.binarize(x), net.numbers(3, 5), net.numbers(3)], transB=1)


def run_time_scale(net: TrainedNet) -> ir.Value:
    """XNOR-Net's: the normalization's factor goes through the product, into the layer."""
    x = image(net, 4)
    magnitude = net.standard("Identity", [net.standard("Abs", [x])])
    axes = net.constant(np.asarray([-3, -2, -1], np.int64))
    mean = net.standard("ReduceMean", [magnitude, axes])
    y = net.standard("Mul", [mean, net.binary_conv(net.binarize(x), 6)])
    return net.relu(net.normalize(net.standard("Add", [y, net.numbers(6, 1, 1)])))


def scales_of_places(net: TrainedNet) -> ir.Value:
    y = net.binary_conv(net.binarize(image(net)), 4)
    y = net.normalize(net.standard("Mul", [net.numbers(1, 1, 5, 4), y]))
    return net.standard("Div", [y, net.numbers(1, 1, 5, 4, low=0.5)])


def rectifiers(net: TrainedNet) -> ir.Value:
    """RPReLU behind a sum is an Add, a PRelu and an Add; behind a layer the first goes into its bias."""
    x = image(net, 4)
    y = net.prelu(net.standard("Add", [x, net.numbers(1, 4, 1, 1)]))
    y = net.add(net.conv(net.standard("Sub", [y, net.numbers(4, 1, 1)]), 4, (1, 1)), y)
    y = net.standard("Add", [net.prelu(net.standard("Add", [y, net.numbers(1, 4, 1, 1)])), net.numbers(4, 1, 1)])
    y = net.reshape(net.standard("LeakyRelu", [y], alpha=0.2), 1, 4, -1)
    return net.reshape(net.prelu(y), 1, -1)


def affine_rows(net: TrainedNet) -> ir.Value:
    """What stands in a row is one Mul and one Add; what comes to nothing goes."""
    x = net.input("x", (1, 4, 6, 6))
    y = net.standard("Add", [net.standard("Mul", [net.normalize(x), values(net, 2)]), net.numbers(4, 1, 1)])
    z = net.standard("Div", [net.standard("Mul", [net.relu(x), values(net, 4)]), values(net, 4)])
    columns = net.reshape(net.relu(net.add(y, z)), 1, 2, 2, 36)
    return net.standard("Mul", [net.standard("MatMul", [columns, net.numbers(36, 5)]), net.numbers(5)])


MIN_POOL = "Mul MaxPool Mul "
CASES: dict[str, tuple[Build, str]] = {
    "binary then affine": (binary_then_affine, "Conv Binarize BinaryConv"),
    "shift then affine": (shift_then_affine, "ShiftConv Reshape ShiftGemm"),
    "gemm of rank 3": (gemm_of_rank_3, "Binarize BinaryGemm"),
    "scaled bits": (scaled_bits, "Conv Binarize MaxPool BinaryConv Binarize MaxPool Reshape BinaryGemm"),
    "affine chain": (affine_chain, "Conv Binarize BinaryConv"),
    "affine of a sum": (affine_of_a_sum, "Conv Relu Add Mul Binarize BinaryConv"),
    "residual": (residual, "Conv Relu Binarize BinaryConv Add"),
    "clips": (clips, "Conv Binarize BinaryConv Binarize BinaryConv"),
    "some channels constant": (some_channels_constant, "Conv Binarize BinaryConv"),
    "pools": (pools, f"Conv Binarize {MIN_POOL * 2} BinaryConv"),
    "pool of a sum": (pool_of_a_sum, f"Conv Relu Add Mul Binarize {MIN_POOL} BinaryConv"),
    "flat": (flat, "Conv Binarize Reshape BinaryGemm"),
    "rearranged values": (rearranged_values, "Relu Reshape Binarize BinaryGemm"),
    "columns": (columns, "Reshape Gemm Binarize Reshape BinaryGemm"),
    "thresholds of places": (thresholds_of_places, "Conv Reshape Mul Binarize BinaryGemm"),
    "run-time scale": (run_time_scale, "Conv Binarize BinaryConv Abs ReduceMean Mul Add Relu"),
    "scales of places": (scales_of_places, "Conv Binarize BinaryConv Mul Add Mul"),
    "rectifiers": (rectifiers, "Conv PRelu Conv Add Add PRelu Add PRelu Reshape PRelu Reshape"),
    "affine rows": (affine_rows, "Mul Add Relu Add Relu Reshape Gemm Reshape"),
    "imported layers": (
        imported_layers,
        "Conv Binarize BinaryConv Binarize MaxPool Conv Binarize Reshape BinaryGemm Binarize Gemm",
    ),
}


def built(case: str, seed: int) -> ir.Model:
    net = TrainedNet(seed)
    net.output(CASES[case][0](net))
    return net.model()


def outputs(model: ir.Model, seed: int) -> list[npt.NDArray[np.generic]]:
    x = model.graph.inputs[0]
    shape = tuple(int(d) for d in x.shape.numpy())
    return run(ir.to_proto(model), {"x": np.random.default_rng(seed).normal(size=shape).astype(F32)})


@pytest.mark.parametrize("case", CASES)
def test_same_results_after_every_pass(case: str) -> None:
    for seed in range(2):
        model = built(case, seed)
        before = outputs(model, seed)
        for make in CANONICAL:
            if not make()(model):
                continue
            for a, b in zip(outputs(model, seed), before, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-4, rtol=1e-4, err_msg=make.name)
    assert Counter(node.op_type for node in model.graph) == Counter(CASES[case][1].split())
    names = [layer_name(node) for node in model.graph]
    assert len(set(names)) == len(names) and all(source(node) for node in model.graph)
    assert not any(make()(model) for make in CANONICAL if make.name != "dead-code"), "a second run changes nothing"


def test_pools_work_on_bits() -> None:
    model = built("pools", 0)
    for make in CANONICAL:
        make()(model)
    assert all(is_bit(node.outputs[0]) for node in model.graph if node.op_type in ("MaxPool", "Mul"))


@pytest.mark.parametrize("layer", ["Relu", "Clip"])
def test_constant_bits_are_refused(layer: str) -> None:
    net = TrainedNet()
    x = image(net, 4)
    x = net.relu(x) if layer == "Relu" else clip(net, x, -1, 1)
    net.output(net.binary_conv(net.binarize(x, F32(0 if layer == "Relu" else 1.5)), 4))
    model = net.model()
    with pytest.raises(TinsmithError, match=r"Binarize 'binarize_2'.*always [+-]1") as error:
        for make in CANONICAL:
            make()(model)
    assert layer in error.value.problems[0].why
