"""`tinsmith train`, and the examples that it is shown with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
from tinsmith.cli.main import app  # noqa: E402
from tinsmith.errors import TinsmithError  # noqa: E402
from tinsmith.train.from_file import load_net, train_file  # noqa: E402

EXAMPLE = Path(__file__).parents[2] / "examples" / "binary" / "net.py"
DATA = Path(__file__).parents[2] / "../shared/data"
NET = """
import torch
from torch import nn
from tinsmith.train import binarize

def net():
    layers = nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.Linear(16, 10)
    return nn.Sequential(*layers), torch.zeros(1, 1, 8, 8)

def wrong():
    return binarize(net()[0], method="xnro"), torch.zeros(1, 1, 8, 8)

def two():
    return net()[0], (torch.zeros(1, 3), torch.zeros(1, 3))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def test_train_writes_what_it_says(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = ["train", f"{file}:net", "--data", "digits", "-o", str(out), "--epochs", "2", "--seed", "3"]
    result = CliRunner().invoke(app(), command)
    assert result.exit_code == 0, result.output
    made = ["calibrate.npz", "checkpoint.pt", "metrics.json", "model.onnx", "state.pt"]
    assert sorted(path.name for path in out.iterdir()) == made
    metrics = json.loads((out / "metrics.json").read_text())
    assert f"{metrics['accuracy']:.1%}" in result.output
    load_net(f"{file}:net", 0)[0].load_state_dict(torch.load(out / "state.pt", weights_only=True))

    other = CliRunner().invoke(app(), [*command[:5], str(tmp_path / "again"), *command[6:], "--json"])
    assert json.loads(other.output)["accuracies"] == metrics["accuracies"]
    for name in ("metrics.json", "model.onnx", "calibrate.npz"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()


def test_own_arrays(file: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        x = generator.integers(0, 256, (40, 8, 8), dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", x=x, y=(x.mean((1, 2)) > 127).astype(np.int32))
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    fitted = train_file(f"{file}:net", str(a), tmp_path / "run", valid=b, epochs=1)
    assert len(fitted.losses) == 1
    with pytest.raises(TinsmithError, match="other samples"):
        train_file(f"{file}:net", str(a), tmp_path / "run", epochs=1)


@pytest.mark.parametrize(
    ("ref", "data", "part"),
    [
        ("{}:nte", "digits", "has no function 'nte'"),
        ("{}", "digits", "names no function"),
        ("{}:wrong", "digits", "method='xnor'"),
        ("{}:two", "digits", "more than one input"),
        ("{}:net", "cifar", "no data set 'cifar'"),
        ("{}:net", "gone.npz", "cannot read the file"),
    ],
)
def test_what_is_wrong_is_said(ref: str, data: str, part: str, file: Path, tmp_path: Path) -> None:
    with pytest.raises(TinsmithError) as caught:
        train_file(ref.format(file), data, tmp_path / "run", epochs=1)
    assert part in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_without_scikit_learn(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None if name == "sklearn" else object())
    with pytest.raises(TinsmithError, match=r"pip install 'tinsmith\[examples\]'"):
        train_file(f"{file}:net", "digits", tmp_path / "run", epochs=1)


def example_names() -> list[str]:
    return re.findall(r"^(?:def )?([a-z]\w*)(?:\(\)| = partial)", EXAMPLE.read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("name", example_names())
def test_examples_run(name: str) -> None:
    net, shape = load_net(f"{EXAMPLE}:{name}", 0)
    assert net.eval()(torch.rand(2, *shape)).shape == (2, 10)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["birealnet", "reactnet", "shift3"])
def test_examples_reach_what_they_promise(name: str, tmp_path: Path) -> None:
    assert train_file(f"{EXAMPLE}:{name}", "digits", tmp_path / "run", epochs=20).accuracy > 0.95


@pytest.mark.slow
def test_fashion_mnist(tmp_path: Path) -> None:
    train, valid = DATA / "fashion_mnist_train30k.npz", DATA / "fashion_mnist_test_first5k.npz"
    if not train.exists():
        pytest.skip(f"needs {train.name}")
    fitted = train_file(f"{EXAMPLE}:fashion_birealnet", str(train), tmp_path / "run", valid=valid, epochs=1)
    assert fitted.accuracy > 0.75
