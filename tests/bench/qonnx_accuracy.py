"""Accuracy of a binary network from a QONNX file, on every target: the float file, the exact integers, the artefacts.

    python tests/bench/qonnx_accuracy.py [--samples 10000] [--targets x86-64,arm64,wasm,c] [--data ../shared/data]

The network is the 1-bit MLP for MNIST of the QONNX model zoo, trained with Brevitas; the images are MNIST's test set,
divided by 255. Every artefact's predictions are compared with the oracle's, one by one. Ends with exit code 1 when a
prediction differs, or fewer than 92.9 per cent of the whole test set are right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from accuracy import DATA, scores
from rich.console import Console
from rich.table import Table
from tinsmith import pipeline, verbs
from tinsmith.frontend import load
from tinsmith.numerics.float_run import FloatRun
from tinsmith.verify.oracle import Oracle

Array = npt.NDArray[Any]

MODEL, IMAGES = "qonnx_mnist_TFC_1W1A.onnx", "mnist_test10k.npz"
TARGETS = ("x86-64", "arm64", "wasm", "c")
CALIBRATION = 128
"""Images that calibrate what is not one bit: the input and the scores."""
LEAST = 92.9
"""Per cent right of the whole test set; the float file gets 92.96."""


@dataclass(frozen=True)
class Row:
    """One way to run the network: per cent right, and how many predictions differ from the oracle's."""

    name: str
    right: float
    other: int


def read_images(data: Path, samples: int) -> tuple[Array, Array]:
    """Inputs (n, 1, 1, 28, 28) in [0, 1], batch of one each, and labels (n,)."""
    with np.load(data / IMAGES) as archive:
        x, y = archive["x"][:samples], archive["y"][:samples]
    return x[:, None, None].astype(np.float32) / np.float32(255), y.astype(np.int64)


def quantized(data: Path, folder: Path) -> Path:
    """The exact graph of the network."""
    images, _ = read_images(data, CALIBRATION)
    name = load(data / MODEL).graph.inputs[0].name or ""
    return pipeline.quantize(data / MODEL, {name: images}, folder / "tfc.onnx")


def predictions(exact: Path, target: str, folder: Path, images: Array) -> Array:
    """What the artefact for `target` predicts, after every layer was verified on a few images."""
    pipeline.compile(exact, target, folder)
    found = verbs.verify(folder, samples=8)
    if not found.exact:
        raise SystemExit(f"{target}: {found.first_mismatch}")
    (name,) = verbs.Artefact.open(folder).graph.inputs
    (answers,) = verbs.run(folder, {name: images}).values()
    return answers.reshape(len(images), -1).argmax(axis=1)


def measure(data: Path, targets: tuple[str, ...], samples: int) -> list[Row]:
    """The float file, the oracle, and every target."""
    images, labels = read_images(data, samples)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        floating, exact = load(data / MODEL), quantized(data, folder)
        model = ir.load(exact)
        found = {
            "float file": scores(FloatRun(floating).run, floating, images).argmax(axis=1),
            "oracle": scores(Oracle(exact).run, model, images).argmax(axis=1),
        }
        for target in targets:
            found[target] = predictions(exact, target, folder / target, images)
    return [
        Row(name, float((got == labels).mean()) * 100, int((got != found["oracle"]).sum()))
        for name, got in found.items()
    ]


def failures(rows: list[Row]) -> list[str]:
    """What breaks the promise: predictions of a target that differ, or too few that are right."""
    found = [f"{row.name}: {row.other} predictions are not the oracle's" for row in rows[2:] if row.other]
    return found + [f"{row.name}: {row.right:.2f} % right, not {LEAST}" for row in rows if row.right < LEAST]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000, help="how many of the 10,000 images")
    parser.add_argument("--targets", default=",".join(TARGETS), help="comma-separated")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the network and the images")
    options = parser.parse_args()
    rows = measure(options.data, tuple(options.targets.split(",")), options.samples)
    table = Table("run by", "% right", "predictions unlike the oracle's")
    for row in rows:
        table.add_row(row.name, f"{row.right:.2f}", str(row.other))
    Console().print(table)
    wrong = failures(rows)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
