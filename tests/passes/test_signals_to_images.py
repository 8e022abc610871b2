"""Trained layers of signals: the two-dimensional form computes what onnxruntime computed before."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from float_models import run, sample
from tinsmith.frontend import canonicalize
from trained_net import TrainedNet


def network(case: int) -> TrainedNet:
    net = TrainedNet(case)
    x = net.input("x", (1, 3, 12))
    y = net.standard("Conv", [x, net.numbers(4, 3, 3), net.numbers(4)], pads=(1, 1))
    window = {"strides": (1 + case % 2,), "pads": (1, 2), "dilations": (2,)}
    y = net.binary_conv(net.binarize(net.normalize(y)), 5, (3,), pad_value=case % 3 - 1, **window)
    y = net.add(net.normalize(y), y)
    y = net.shift_conv(net.prelu(y), 6, (2,), bits=2 + case % 3)
    net.output(net.standard("ReduceMean", [y, net.constant(np.array([2]))], keepdims=0))
    return net


@pytest.mark.parametrize("case", range(4))
def test_trained_layers_of_a_signal(case: int) -> None:
    model = network(case).model()
    before = ir.to_proto(model)
    feeds = sample(before)
    wanted = run(before, feeds)
    canonicalize(model)
    assert [len(node.inputs[0].shape or ()) for node in model.graph if node.domain] == [4, 4, 4]
    assert sum(node.op_type == "Reshape" for node in model.graph) == 2
    np.testing.assert_allclose(run(ir.to_proto(model), feeds)[0], wanted[0], rtol=1e-4, atol=1e-5)


def test_magnitudes_of_tokens_are_no_signal() -> None:
    net = TrainedNet()
    x = net.input("x", (1, 5, 8))
    mean = net.standard("ReduceMean", [net.standard("Abs", [x]), net.constant(np.array([-1]))])
    net.output(net.standard("Mul", [net.binary_gemm(net.binarize(x), 6), mean]))
    model = net.model()
    before = ir.to_proto(model)
    feeds = sample(before)
    wanted = run(before, feeds)
    canonicalize(model)
    assert "Reshape" not in {node.op_type for node in model.graph}
    np.testing.assert_allclose(run(ir.to_proto(model), feeds)[0], wanted[0], rtol=1e-5, atol=1e-6)
