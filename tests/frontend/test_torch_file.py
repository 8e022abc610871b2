"""`file.py:name`: what comes in, where it came from, and what is said when it cannot."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from float_models import run
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize, load
from tinsmith.ir.provenance import layer_name, source

MODELS = Path(__file__).parents[1] / "models"
DATA = Path(__file__).parents[2] / "../shared/data"

NET = """import torch
from torch import nn
from torch.nn import functional as F
import helper


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)) + x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(), Block())
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 3)

    def forward(self, image):
        x = self.blocks(image)
        x = F.relu6(x.mean((2, 3)))
        return F.softmax(helper.double(self.fc(self.drop(x))), dim=1)


def net():
    torch.manual_seed(0)
    return Net(), (torch.zeros(1, 4, 8, 8),)


def named():
    return net()[0], {"image": torch.zeros(1, 4, 8, 8)}


def no_module():
    return "net", torch.zeros(1)


def no_pair():
    return Net()


def no_tensors():
    return Net(), (3, "x")


def breaks():
    return 1 / 0


class Loop(nn.Module):
    def forward(self, x):
        while x.sum() > 1:
            x = x / 2
        return x


def loop():
    return Loop(), torch.ones(1, 4)


class Bad(nn.Module):
    def forward(self, x):
        y = x + 1
        return y @ torch.ones(7, 7)


def bad():
    return Bad(), torch.ones(1, 4)
"""
HELPER = "def double(x):\n    return x * 2\n"


def write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "helper.py").write_text(HELPER)
    (folder / "net.py").write_text(NET)
    return folder / "net.py"


def refused(ref: str) -> str:
    with pytest.raises(TinsmithError) as caught:
        load(ref)
    return str(caught.value)


def test_layers_know_their_module_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    m = canonicalize(load(f"{path}:net"))
    assert [(layer_name(n), source(n)) for n in m.graph] == [
        ("blocks.0.conv", "net.py:14"),
        ("blocks.0.add", "net.py:14"),
        ("blocks.0.relu", "net.py:14"),
        ("blocks.1.conv", "net.py:14"),
        ("blocks.1.add", "net.py:14"),
        ("blocks.1.relu", "net.py:14"),
        ("mean", "net.py:26"),
        ("mean/reshape", "net.py:26"),
        ("relu6", "net.py:26"),
        ("fc", "net.py:27"),
        ("softmax", "net.py:27"),
    ]
    assert [v.name for v in m.graph.inputs] == ["image"]
    assert sorted(p.name for p in path.parent.iterdir()) == ["helper.py", "net.py"], "nothing is written beside it"


def test_same_bytes_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute or relative, shallow or deep: the model holds no path and no time."""
    first = ir.to_proto(load(f"{write(tmp_path / 'a')}:net")).SerializeToString()
    sys.modules.pop("helper", None)
    write(tmp_path / "b/c/d")
    monkeypatch.chdir(tmp_path / "b/c")
    second = ir.to_proto(load("d/net.py:net")).SerializeToString()
    assert first == second
    for trace in (str(tmp_path), "site-packages", os.getcwd(), str(Path.home())):
        assert trace.encode() not in first


def test_result_is_the_modules(tmp_path: Path) -> None:
    import torch

    path = write(tmp_path)
    proto = ir.to_proto(canonicalize(load(f"{path}:named")))
    spec = importlib.util.spec_from_file_location("net_by_hand", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(tmp_path))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(tmp_path))
    x = torch.randn(1, 4, 8, 8)
    expected = module.net()[0].eval()(x).detach().numpy()
    np.testing.assert_allclose(run(proto, {"image": x.numpy()})[0], expected, atol=1e-6)


def test_names_that_are_not_there(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert f"names no function\n  why: a Python file may hold several models\n  try: {path}:name" in refused(str(path))
    assert "gone.py: cannot be read: No such file" in refused(str(tmp_path / "gone.py:net"))
    told = refused(f"{path}:nett")
    assert "has no function 'nett'" in told and f"{path}:net" in told
    path.write_text(path.read_text() + "import functools\nsmall = functools.partial(net)\n")
    assert f"has no function 'smal'\n  try: {path}:small" in refused(f"{path}:smal")


def test_syntax_error(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("def net(:\n")
    told = refused(f"{tmp_path}/net.py:net")
    assert "is not valid Python" in told and "line 1" in told


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_module", "the first value it returned is str, not a torch.nn.Module"),
        ("no_pair", "it must return (module, example_inputs)"),
        ("no_tensors", "the example inputs hold int, str"),
        ("breaks", "{return 1 / 0}: the function fails|ZeroDivisionError: division by zero"),
        ("bad", "{return y @ torch.ones(7, 7)}: PyTorch cannot export the module"),
        ("loop", "{while x.sum() > 1:}: PyTorch cannot export the module"),
    ],
)
def test_what_the_function_gets_wrong(name: str, words: str, tmp_path: Path) -> None:
    told = refused(f"{write(tmp_path)}:{name}")
    lines = {line.strip(): f"net.py:{number}" for number, line in enumerate(NET.splitlines(), 1)}
    for part in words.split("|"):
        code, _, rest = part.rpartition("}")
        assert (lines[code[1:]] + rest if code else part) in told


def test_import_error_in_the_users_file(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import torch\nimport missing_thing\n\ndef net():\n    pass\n")
    told = refused(f"{tmp_path}/net.py:net")
    assert "net.py:2: the file fails on import" in told and "missing_thing" in told


def test_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "PyTorch is missing" in (told := refused(f"{path}:net")) and "pip install 'tinsmith[torch]'" in told


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "cifar10_resnet20.pt").exists(), reason="the trained weights are not there")
def test_resnet20(tmp_path: Path) -> None:
    m = canonicalize(load(f"{MODELS / 'resnet20.py'}:resnet20"))
    assert {n.op_type for n in m.graph} == {"Conv", "Relu", "Add", "AveragePool", "Reshape", "Gemm"}
    shortcuts = {layer_name(n) for n in m.graph if n.op_type == "Conv" and "conv" not in layer_name(n)}
    assert shortcuts == {"layer2.0.pad", "layer3.0.pad"}
    images = np.load(DATA / "mlperftiny_ic01_200.npz")
    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    x = ((images["x"] / np.float32(255) - mean) / deviation).transpose(0, 3, 1, 2)
    proto = ir.to_proto(m)
    found = [int(np.argmax(run(proto, {"x": image[None]})[0])) for image in x[:60]]
    exported = canonicalize(load(DATA / "cifar10_resnet20.onnx"))
    other = ir.to_proto(exported)
    assert found == [int(np.argmax(run(other, {"input": image[None]})[0])) for image in x[:60]]
    assert np.mean(found == images["y"][:60]) > 0.85
