"""From training to a device: what `tinsmith train` leaves is compiled, and computes the same on the target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
from tinsmith.cli.main import app  # noqa: E402
from tinsmith.ir.exact import Weighted, weight_bits  # noqa: E402
from tinsmith.ir.reader import read_exact  # noqa: E402
from tinsmith.pipeline import make_exact  # noqa: E402
from tinsmith.progress import Progress  # noqa: E402
from tinsmith.train import binarize, fit, shift  # noqa: E402
from tinsmith.train.data import Samples, load_digits  # noqa: E402
from tinsmith.train.networks import BiRealResNet  # noqa: E402
from tinsmith.verify.oracle import Oracle  # noqa: E402
from torch import nn  # noqa: E402

EXAMPLE = Path(__file__).parents[2] / "examples" / "binary" / "net.py"
NAMES = (
    *("bnn", "xnor", "dorefa", "birealnet", "xnor_plus", "reactnet", "fda", "recu"),
    *("shift2", "shift3", "shift4", "reactnet_mobile", "vgg", "mlp"),
)
SIGNALS = """import torch
from tinsmith.train import binarize, shift
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(8, 16, 3, padding=1), nn.BatchNorm1d(16))
        self.conv = nn.Conv1d(16, 24, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm1d(24)
        self.shortcut = nn.Conv1d(16, 24, 1, stride=2)
        self.act = nn.PReLU(24)
        self.again = nn.Conv1d(24, 24, 3, padding=1)
        self.pool = nn.AvgPool1d(2)
        self.head = nn.Linear(24, 10)

    def forward(self, x):
        x = self.stem(x)
        x = self.act(self.norm(self.conv(x)) + self.shortcut(x))
        return self.head(self.pool(self.again(x) + x).mean(2))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(8, 16)
        self.up = nn.Linear(16, 24)
        self.down = nn.Linear(24, 16)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        x = self.stem(x)
        return self.head((self.down(nn.functional.hardtanh(self.up(x))) + x).flatten(1))


SKIP = ["stem", "head", "shortcut"]


def xnor():
    return binarize(Net(), "xnor", skip=SKIP), torch.zeros(1, 8, 8)


def positions():
    return binarize(Net(), "xnor++", skip=SKIP, pad_value=0), torch.zeros(1, 8, 8)


def shifted():
    return shift(Net(), 4, skip=SKIP), torch.zeros(1, 8, 8)


def tokens():
    return binarize(Tokens(), "xnor", skip=SKIP[:2]), torch.zeros(1, 8, 8)


def shifted_tokens():
    return shift(Tokens(), 2, skip=SKIP[:2]), torch.zeros(1, 8, 8)
"""


REAL = ["stem", "head", "blocks.*.shortcut"]


def small_reactnet() -> nn.Module:
    return binarize(BiRealResNet(widths=(12, 24), depth=1), "reactnet", skip=REAL)


def small_shift() -> nn.Module:
    return shift(BiRealResNet(widths=(8, 16), depth=1), bits=3, skip=REAL)


@pytest.mark.parametrize(("make", "bits"), [(small_reactnet, 1), (small_shift, 3)])
def test_a_trained_network_becomes_integers(make: Callable[[], nn.Module], bits: int, tmp_path: Path) -> None:
    train, valid = load_digits()
    few = Samples(valid.x[:100], valid.y[:100])
    fitted = fit(make(), train, few, epochs=3, rate=5e-3, out=tmp_path)
    model = make_exact(tmp_path / "model.onnx", None, progress=Progress(0, quiet=True)).model
    graph, oracle = read_exact(model), Oracle(model)
    held = [weight_bits(layer) for layer in graph.layers if isinstance(layer, Weighted)]
    assert sorted(set(held)) == [bits, 8] and held.count(8) <= 4, held

    (name,), (output,) = graph.inputs, graph.outputs
    shape = graph.tensors[name].shape
    logits = np.array([oracle.run({name: x.numpy().reshape(shape)})[output].ravel() for x in few.x])
    assert fitted.accuracy > 0.6
    assert (logits.argmax(1) == few.y.numpy()).mean() > fitted.accuracy - 0.05


def command(*arguments: object) -> None:
    result = CliRunner().invoke(app(), [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_method_is_exact_on_a_target(name: str, tmp_path: Path) -> None:
    command("train", f"{EXAMPLE}:{name}", "--data", "digits", "--epochs", 1, "-o", tmp_path / "run")
    command("compile", tmp_path / "run" / "model.onnx", "--target", "wasm", "-o", tmp_path / "wasm")
    command("verify", tmp_path / "wasm")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["xnor", "positions", "shifted", "tokens", "shifted_tokens"])
def test_signals_and_tokens_are_exact_on_a_target(name: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SIGNALS)
    command("train", f"{tmp_path / 'net.py'}:{name}", "--data", "digits", "--epochs", 1, "-o", tmp_path / "run")
    command("compile", tmp_path / "run" / "model.onnx", "--target", "wasm", "-o", tmp_path / "wasm")
    command("verify", tmp_path / "wasm")
