"""Trained networks as ONNX files: stock onnxruntime computes what torch does, and the compiler knows every layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from float_models import run

torch = pytest.importorskip("torch")
from tinsmith.errors import TinsmithError  # noqa: E402
from tinsmith.frontend import load  # noqa: E402
from tinsmith.ir.domain import TRAINED_DOMAIN  # noqa: E402
from tinsmith.ir.provenance import layer_name, source  # noqa: E402
from tinsmith.train import binarize, export  # noqa: E402
from tinsmith.train.binary_layer import BinaryLayer  # noqa: E402
from tinsmith.train.methods import METHODS  # noqa: E402
from tinsmith.train.shift_layer import ShiftLayer  # noqa: E402
from torch import Tensor, nn  # noqa: E402

SHAPES = {"linear": (1, 5, 6), "conv1d": (1, 6, 9), "conv2d": (1, 6, 7, 5)}
FILE = """import torch
from tinsmith.train import binarize
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.stem(x)
        x = self.conv(x)
        return self.head(x.mean((2, 3)))


def net():
    return binarize(Net(), "xnor++", skip=["stem", "head"]), torch.zeros(1, 1, 8, 8)
"""


def plain(kind: str) -> nn.Module:
    if kind == "linear":
        return nn.Linear(6, 4)
    if kind == "conv1d":
        return nn.Conv1d(6, 4, 3, stride=2, padding=1)
    return nn.Conv2d(6, 4, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2))


class Side(nn.Module):
    """Every method and every number of bits, side by side on one input."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        methods = enumerate(METHODS.values())
        binary = {method.name: BinaryLayer(plain(kind), method, place % 3 - 1) for place, method in methods}
        shifted = {f"shift{bits}": ShiftLayer(plain(kind), bits) for bits in (2, 3, 4)}
        self.layers = nn.ModuleDict({**binary, **shifted})

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(layer(x) for layer in self.layers.values())


@pytest.mark.parametrize("kind", SHAPES)
def test_onnxruntime_computes_what_torch_does(kind: str, tmp_path: Path) -> None:
    net = Side(kind).eval()
    net(torch.randn(SHAPES[kind]))
    for name, parameter in net.named_parameters():
        if ".method." in name:
            parameter.data.uniform_(-1, 1)
    x = torch.randn(SHAPES[kind])
    x.flatten()[::7] = 0.0
    export(net, x, tmp_path / "net.onnx")
    proto = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(proto, full_check=True)
    for got, wanted in zip(run(proto, {"x": x.numpy()}), net(x), strict=True):
        np.testing.assert_allclose(got, wanted.detach().numpy(), rtol=1e-5, atol=1e-5)
    trained = [node for node in proto.graph.node if node.domain == TRAINED_DOMAIN]
    assert len(trained) == 2 * len(METHODS) + 3, "one operator a layer, and its Binarize"

    weight = next(t for t in proto.graph.initializer if t.data_type == onnx.TensorProto.INT8)
    flipped = onnx.numpy_helper.to_array(weight).copy()
    flipped.flat[0] *= -1
    before = run(proto, {"x": x.numpy()})
    weight.CopyFrom(onnx.numpy_helper.from_array(flipped, weight.name))
    assert any((a != b).any() for a, b in zip(before, run(proto, {"x": x.numpy()}), strict=True))


def test_signs_at_learned_thresholds_are_exact(tmp_path: Path) -> None:
    net = BinaryLayer(nn.Linear(300, 1, bias=False), METHODS["reactnet"], 1).eval()
    net.weight.data.fill_(1.0)
    net.method.shift.data.normal_()
    edge = -net.method.shift.detach()
    export(net, edge[None], tmp_path / "net.onnx")
    proto = onnx.load(tmp_path / "net.onnx")
    for x, bit in ((edge, 1.0), (torch.nextafter(edge, torch.tensor(-99.0)), -1.0)):
        assert run(proto, {"x": x[None].numpy()})[0].item() == 300 * bit == net(x[None]).item()


def test_a_file_with_binary_layers_keeps_names_and_lines(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(FILE)
    model = load(f"{tmp_path / 'net.py'}:net")
    places = {layer_name(node): source(node) for node in model.graph}
    line = FILE.splitlines().index("        x = self.conv(x)") + 1
    assert places["conv"] == places["conv.sign"] == f"net.py:{line}"
    assert {node.op_type for node in model.graph if node.domain} == {"Binarize", "BinaryConv"}


def test_a_written_file_keeps_names_and_lines(tmp_path: Path) -> None:
    net = binarize(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), "dorefa", skip=["0"])
    export(net, torch.zeros(1, 4), tmp_path / "net.onnx")
    written = {node.name for node in onnx.load(tmp_path / "net.onnx").graph.node}
    assert {layer_name(node) for node in load(tmp_path / "net.onnx").graph} == written
    assert written == {"0", "1.sign", "1"}


def test_what_torch_cannot_export_is_said(tmp_path: Path) -> None:
    class Loop(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            while x.sum() > 1:
                x = x / 2
            return x

    with pytest.raises(TinsmithError, match="cannot export"):
        export(Loop(), torch.zeros(1, 4), tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_another_meaning_of_an_operator_is_refused(tmp_path: Path) -> None:
    net = BinaryLayer(nn.Linear(4, 4), METHODS["bnn"], 1)
    export(net, torch.zeros(1, 4), tmp_path / "net.onnx")
    proto = onnx.load(tmp_path / "net.onnx")
    body = next(f for f in proto.functions if f.name == "Binarize")
    next(node for node in body.node if node.op_type == "GreaterOrEqual").op_type = "Greater"
    onnx.save(proto, tmp_path / "net.onnx")
    with pytest.raises(TinsmithError, match=r"ai\.tinsmith\.trained:Binarize: its body is another one"):
        load(tmp_path / "net.onnx")
