"""The data sets: those that come in dependencies, and those of a folder where it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tinsmith.train.data import Samples, as_samples, load_digits, split

from bibench.plan import Plan

Floats = npt.NDArray[np.float32]

SPEECH = "mlperftiny_kws01_1000.npz"
TEXT = "tinyshakespeare.txt"
MNIST = ("mnist_train10k.npz", "mnist_test10k.npz")
FASHION = ("fashion_mnist_train30k.npz", "fashion_mnist_test_first5k.npz")
SYMBOLS = " abcdefghijklmnopqrstuvwxyz.\n"
"""What a text is made of; everything else counts as the last but one."""
CONTEXT = 16
TEXT_SAMPLES = 3000
SIGNAL = 64
SIGNALS = 1500


@dataclass(frozen=True)
class DataSet:
    """A learning task.

    Attributes:
        domain: what kind of thing is told apart.
        arch: the network for it, a name of `networks.ARCHITECTURES`.
        classes: how many there are.
        epochs: of a training.
        needs: files of the data folder; none comes in a dependency.
        full: it belongs to the full comparison only.
        load: training and test samples, from the data folder.
    """

    name: str
    domain: str
    arch: str
    classes: int
    epochs: int
    load: Callable[[Path], tuple[Samples, Samples]]
    needs: tuple[str, ...] = ()
    full: bool = False


def _digits(_: Path) -> tuple[Samples, Samples]:
    return load_digits()


def _table(name: str) -> Callable[[Path], tuple[Samples, Samples]]:
    def load(_: Path) -> tuple[Samples, Samples]:
        from sklearn import datasets

        bunch: Any = getattr(datasets, f"load_{name}")()
        x = bunch.data
        return split(as_samples((((x - x.mean(0)) / x.std(0)).astype(np.float32), bunch.target), name))

    return load


def _waveforms(_: Path) -> tuple[Samples, Samples]:
    """Six shapes of waves (n, 1, 64) from scipy, of random frequency, phase, height and noise."""
    from scipy import signal

    random = np.random.default_rng(0)
    shapes: list[Callable[[Any], Any]] = [
        np.sin,
        signal.square,
        signal.sawtooth,
        lambda phase: signal.sawtooth(phase, 0.5),
        lambda phase: signal.gausspulse((phase / (2 * np.pi)) % 4 - 2, fc=1),
        lambda phase: np.sin(phase + phase * phase / 40),
    ]
    y = random.integers(0, len(shapes), SIGNALS)
    time = np.arange(SIGNAL) / SIGNAL
    phases = 2 * np.pi * (random.uniform(2, 6, (SIGNALS, 1)) * time + random.random((SIGNALS, 1)))
    waves = np.stack([shapes[kind](phase) for kind, phase in zip(y, phases, strict=True)])
    noisy = random.uniform(0.5, 1.5, (SIGNALS, 1)) * waves + random.normal(0, 0.25, waves.shape)
    return split(as_samples((noisy[:, None].astype(np.float32), y), "waveforms"))


def _speech(folder: Path) -> tuple[Samples, Samples]:
    """1000 words as (1, 49, 10) cepstral coefficients."""
    with np.load(folder / SPEECH) as archive:
        x, y = archive["x"].astype(np.float32)[:, None] / 64, archive["y"].astype(np.int64)
    return split(as_samples((x, y), SPEECH))


def _text(folder: Path) -> tuple[Samples, Samples]:
    """16 characters, one-hot (symbols, 16); is the next one a vowel, a consonant, a space or a mark?"""
    text = (folder / TEXT).read_text(encoding="utf-8").lower()
    other = SYMBOLS.index(".")
    codes = np.array([place if (place := SYMBOLS.find(char)) >= 0 else other for char in text])
    kinds = np.array([2 if char == " " else 0 if char in "aeiou" else 1 if char.isalpha() else 3 for char in SYMBOLS])
    starts = np.random.default_rng(0).choice(len(codes) - CONTEXT, TEXT_SAMPLES, replace=False)
    windows: Floats = np.eye(len(SYMBOLS), dtype=np.float32)[codes[starts[:, None] + np.arange(CONTEXT)]]
    return split(as_samples((windows.transpose(0, 2, 1).copy(), kinds[codes[starts + CONTEXT]]), TEXT))


def _images(files: tuple[str, str]) -> Callable[[Path], tuple[Samples, Samples]]:
    def load(folder: Path) -> tuple[Samples, Samples]:
        parts = []
        for name in files:
            with np.load(folder / name) as archive:
                parts.append(as_samples((archive["x"][:, None], archive["y"].astype(np.int64)), name))
        return parts[0], parts[1]

    return load


SETS = (
    DataSet("digits", "image", "cnn", 10, 8, _digits),
    DataSet("waveforms", "sensor", "signal", 6, 5, _waveforms),
    DataSet("breast_cancer", "tabular", "mlp", 2, 15, _table("breast_cancer")),
    DataSet("wine", "tabular", "mlp", 3, 30, _table("wine")),
    DataSet("speech", "speech", "speech", 12, 12, _speech, (SPEECH,)),
    DataSet("shakespeare", "text", "text", 4, 5, _text, (TEXT,)),
    DataSet("mnist", "image", "garment", 10, 3, _images(MNIST), MNIST, full=True),
    DataSet("fashion", "image", "garment", 10, 3, _images(FASHION), FASHION, full=True),
)
BY_NAME = {each.name: each for each in SETS}


def available(plan: Plan) -> list[DataSet]:
    """The sets of a plan whose files are there."""
    wanted = [each for each in SETS if plan.full or not each.full]
    return [each for each in wanted if all((plan.data / name).is_file() for name in each.needs)]


def left_out(plan: Plan) -> list[str]:
    """What is not compared, and why."""
    wanted = [each for each in SETS if plan.full or not each.full]
    missing = {each.name: [name for name in each.needs if not (plan.data / name).is_file()] for each in wanted}
    return [f"{name} is left out: no {' and no '.join(files)}" for name, files in missing.items() if files]


@cache
def load(name: str, folder: Path) -> tuple[Samples, Samples]:
    """Training and test samples of a set."""
    return BY_NAME[name].load(folder)
