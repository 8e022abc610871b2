"""The six networks that every FPGA flow is tried with, and a twin of the first of 1-bit weights.

    file = exact("digits")                  # the exact graph; the trained network is kept below .pytest_cache
    samples = inputs("digits", 1000)        # by input name: real images, samples first

All but one are trained on scikit-learn's digits, each in seconds; `tfc` is a binary network of the QONNX model zoo.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from tinsmith import pipeline
from tinsmith.progress import Progress

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
from tinsmith.train import binarize, fit, shift  # noqa: E402
from tinsmith.train.data import Samples, load_digits  # noqa: E402
from torch import Tensor, nn  # noqa: E402

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
CACHE = Path(__file__).resolve().parents[1] / ".pytest_cache" / "fpga_nets"
SHAPES = {"mlp": (64,), "signal": (1, 64)}
"""Shape of a sample where it is not an image of (1, 8, 8)."""
CALIBRATION = 128
EPOCHS = 14


class Digits(nn.Module):
    """Two convolutions, each with a ReLU and a max pool: (n, 1, 8, 8) → (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.norm1(self.conv1(x))))
        x = self.pool(self.relu(self.norm2(self.conv2(x))))
        return self.head(x.flatten(1))


class Mlp(nn.Module):
    """(n, 64) → (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(64, 32), nn.Linear(32, 32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


class Signal(nn.Module):
    """One-dimensional convolutions, one strided, and pools of both kinds: (n, 1, 64) → (n, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(1, 8, 9, stride=2, padding=4)
        self.conv2 = nn.Conv1d(8, 12, 5, padding=2)
        self.conv3 = nn.Conv1d(12, 16, 3)
        self.average, self.most = nn.AvgPool1d(2), nn.MaxPool1d(2)
        self.head = nn.Linear(16 * 7, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.average(torch.relu(self.conv2(torch.relu(self.conv1(x)))))
        return self.head(self.most(torch.relu(self.conv3(x))).flatten(1))


def _normed(inputs: int, outputs: int, kernel: int, **kind: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, **kind), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Depthwise and 1×1 convolutions, shortcuts of both kinds, ReLU6, a join, the mean over the image."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _normed(1, 8, 3, padding=1)
        self.depthwise, self.pointwise = _normed(8, 8, 3, padding=1, groups=8), _normed(8, 8, 1)
        self.down, self.shortcut = _normed(8, 12, 3, stride=2, padding=1), _normed(8, 12, 1, stride=2)
        self.branch = _normed(12, 4, 3, padding=1)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.pointwise(nn.functional.relu6(self.depthwise(x))))
        x = torch.relu(self.down(x) + self.shortcut(x))
        x = torch.cat([x, torch.relu(self.branch(x))], dim=1)
        return self.head(x.mean(dim=(2, 3)))


TRAINED: Mapping[str, Callable[[], nn.Module]] = {
    "digits": Digits,
    "mlp": Mlp,
    "signal": Signal,
    "residual": Residual,
    "dense_shift": lambda: shift(Digits(), 3),
    "binary": lambda: binarize(Digits(), "bnn", skip=["conv1"]),
}
NETS = ("digits", "mlp", "signal", "residual", "tfc", "dense_shift")
"""What every flow must compute without a wrong bit."""


@cache
def exact(name: str, recipe: str = "") -> Path:
    """The exact graph of a network, quantized by the text of a recipe; once a process, for the compiler may change."""
    folder = Path(tempfile.mkdtemp(prefix="tinsmith-fpga-nets-"))
    atexit.register(shutil.rmtree, folder)
    (folder / "recipe.toml").write_text(recipe)
    return pipeline.quantize(
        model(name), inputs(name, CALIBRATION), folder / f"{name}.exact.onnx", recipe=folder / "recipe.toml"
    )


@cache
def model(name: str) -> Path:
    """The float network as a file. Skips the test where that of `tfc` is missing."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if name == "tfc":
        file = DATA / "qonnx_mnist_TFC_1W1A.onnx"
        if not file.is_file():
            pytest.skip(f"there is no {file.name} in {DATA}")
        return file
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    file = CACHE / f"{name}-{key}.onnx"
    if not file.is_file():
        _train(name, file)
    return file


def inputs(name: str, count: int, start: int = 0) -> dict[str, npt.NDArray[Any]]:
    """Real samples by input name, shape (count, 1, …): a batch of one each."""
    known = onnx.load(model(name)).graph.input[0].name
    if name == "tfc":
        with np.load(DATA / "mnist_test10k.npz") as archive:
            images = archive["x"][start : start + count, None, None]
        return {known: images.astype(np.float32) / np.float32(255)}
    x = np.concatenate([part.x.numpy() for part in load_digits()])[start : start + count]
    return {known: x.reshape(len(x), 1, *SHAPES.get(name, (1, 8, 8)))}


def _train(name: str, file: Path) -> None:
    """Train a network and leave its .onnx file; the same weights everywhere that torch sums alike."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    shape = SHAPES.get(name, (1, 8, 8))
    known, held = (Samples(part.x.reshape(len(part), *shape), part.y) for part in load_digits())
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        fit(TRAINED[name](), known, held, epochs=EPOCHS, rate=4e-3, out=folder, progress=Progress(0, quiet=True))
        (Path(folder) / "model.onnx").rename(file)
