"""Accuracy of the exact integers beside that of the float model, on real trained networks.

    python tests/bench/accuracy.py [--json] [--calibrators] [--data ../shared/data]

Calibration images are from CIFAR-10's training set, the test images from MLPerf Tiny (CIFAR-10's test set). The 1000
keyword-spotting inputs are all there is of that set: the first 300 calibrate too. With `--calibrators` the table
compares the calibrators on inputs that none of them saw, against the float model's scores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from rich.console import Console
from rich.table import Table
from tinsmith.frontend import canonicalize, load
from tinsmith.ir.exact import Tensor
from tinsmith.ir.reader import read_exact
from tinsmith.numerics.float_run import FloatRun
from tinsmith.numerics.sqnr import Sqnr, real_values
from tinsmith.passes.lower_exact import lower
from tinsmith.passes.quantize import quantize
from tinsmith.recipe import Recipe, parse_recipe
from tinsmith.verify.oracle import Oracle

Array = npt.NDArray[Any]
Run = Callable[[dict[str, Array]], dict[str, Array]]

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "../shared/data"
CALIBRATION = 300
"""Samples that calibrate."""
HELD_OUT = 700
"""Samples, unseen by calibration, that calibrators are compared on."""
NO_TENSOR = Tensor("", (), "float32")
CIFAR_MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
CIFAR_STD = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)


@dataclass(frozen=True)
class Work:
    """A network, what prepares its inputs, and by how many points int8 may be worse than float."""

    name: str
    model: str
    test: str
    calibrate: str
    prepare: Callable[[Array], Array]
    points: float

    def samples(self, data: Path, file: str) -> tuple[Array, Array]:
        """Inputs (n, 1, …) as float32, and labels (n,)."""
        with np.load(data / file) as archive:
            return self.prepare(archive["x"]).astype(np.float32)[:, None], archive["y"].astype(np.int64)

    def canonical(self, data: Path) -> ir.Model:
        """The float model in canonical form."""
        model = load(ROOT / self.model if ".py:" in self.model else data / self.model)
        return canonicalize(model)


def raw(images: Array) -> Array:
    """uint8 NHWC → NCHW, 0…255."""
    return images.transpose(0, 3, 1, 2)


def normalized(images: Array) -> Array:
    """uint8 NHWC → NCHW, normalized as the ResNet20 was trained."""
    return (raw(images).astype(np.float32) / 255 - CIFAR_MEAN) / CIFAR_STD


def spectrum(stored: Array) -> Array:
    """int8 features → the reals they stand for, one channel."""
    return ((stored.astype(np.float32) - 83) * np.float32(0.5847))[:, None]


IMAGES, TRAINING = "mlperftiny_ic01_200.npz", "cifar10_train_lossless4k.npz"
WORDS = "mlperftiny_kws01_1000.npz"
WORKS = (
    Work("ResNet8", "mlperftiny_ic_resnet8_f32.onnx", IMAGES, TRAINING, raw, 1.0),
    Work("DS-CNN", "mlperftiny_kws_dscnn_f32.onnx", WORDS, WORDS, spectrum, 1.0),
    Work("ResNet20 .onnx", "cifar10_resnet20.onnx", IMAGES, TRAINING, normalized, 1.5),
    Work("ResNet20 .py", "tests/models/resnet20.py:resnet20", IMAGES, TRAINING, normalized, 1.5),
)


def scores(run: Run, model: ir.Model, inputs: Array, value: str = "") -> Array:
    """Row i: what `run` gives for input i (of output `value`, or the only one)."""
    name, value = model.graph.inputs[0].name or "", value or model.graph.outputs[0].name or ""
    return np.concatenate([run({name: sample})[value].reshape(1, -1) for sample in inputs])


def percent_right(run: Run, model: ir.Model, inputs: Array, labels: Array) -> float:
    """Percent of the inputs whose largest score is their label's."""
    return float(np.mean(scores(run, model, inputs).argmax(axis=1) == labels)) * 100


def exact_model(work: Work, data: Path, recipe: Recipe | None = None) -> tuple[ir.Model, ir.Model]:
    """The canonical float model and its exact graph."""
    canonical = work.canonical(data)
    exact = canonical.clone()
    inputs, _ = work.samples(data, work.calibrate)
    quantize(exact, {canonical.graph.inputs[0].name or "": inputs[:CALIBRATION]}, recipe)
    lower(exact)
    return canonical, exact


def measure(work: Work, data: Path, recipe: Recipe | None = None) -> tuple[float, float]:
    """Percent right: the exact graph's, the float model's."""
    canonical, exact = exact_model(work, data, recipe)
    inputs, labels = work.samples(data, work.test)
    right = percent_right(FloatRun(canonical).run, canonical, inputs, labels)
    return percent_right(Oracle(exact).run, exact, inputs, labels), right


def fidelity(work: Work, data: Path, recipe: Recipe) -> tuple[float, float]:
    """On inputs that calibration did not see: dB of the scores before softmax, percent of equal predictions."""
    canonical, exact = exact_model(work, data, recipe)
    inputs = work.samples(data, work.calibrate)[0][CALIBRATION:][-HELD_OUT:]
    last = canonical.graph.outputs[0].producer()
    value = (
        last.inputs[0] if last is not None and last.op_type == "Softmax" else canonical.graph.outputs[0]
    ).name or ""
    tensors = read_exact(exact).tensors
    tensor = tensors[value if tensors.get(value, NO_TENSOR).scale else f"{value}_q"]
    stored = scores(Oracle(exact).run, exact, inputs, tensor.name)
    real = scores(FloatRun(canonical).run, canonical, inputs, value)
    ratio = Sqnr()
    ratio.update(real, real_values(stored, tensor))
    return ratio.db, float(np.mean(stored.argmax(axis=1) == real.argmax(axis=1))) * 100


def accuracy_rows(data: Path) -> list[dict[str, Any]]:
    """One comparison with float for each network."""
    rows = []
    for work in WORKS:
        ours, peer = measure(work, data)
        rows.append(
            {"work": f"{work.name}, % right", "ours": ours, "peer": peer, "peer_name": "float", "ratio": ours / peer}
        )
    return rows


RECIPES: dict[str, dict[str, Any]] = {
    "min-max": {"calibrator": "min-max"},
    "percentile 99.9": {"calibrator": "percentile", "percentile": 99.9},
    "percentile 99.99": {"calibrator": "percentile"},
    "percentile 99.999": {"calibrator": "percentile", "percentile": 99.999},
    "mse": {"calibrator": "mse"},
    "mse, asymmetric": {"calibrator": "mse", "asymmetric": True},
    "mse, weights per tensor": {"calibrator": "mse", "weights": "per-tensor"},
}


def calibrator_rows(data: Path) -> list[dict[str, Any]]:
    """dB, equal predictions and accuracy of every calibrator on every network."""
    rows = []
    for work in WORKS[:3]:
        for name, table in RECIPES.items():
            recipe = parse_recipe(table)
            db, equal = fidelity(work, data, recipe)
            ours, peer = measure(work, data, recipe)
            rows.append(
                {"work": work.name, "calibrator": name, "sqnr_db": db, "same": equal, "ours": ours, "peer": peer}
            )
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print rows as a table."""
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row.values()))
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.add_argument("--calibrators", action="store_true", help="compare the calibrators")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the networks and their inputs")
    options = parser.parse_args()
    rows = calibrator_rows(options.data) if options.calibrators else accuracy_rows(options.data)
    print(json.dumps(rows, indent=1)) if options.json else show(rows)


if __name__ == "__main__":
    main()
