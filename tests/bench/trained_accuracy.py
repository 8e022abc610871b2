"""Accuracy of the exact integers beside that of the float model, for networks that `tinsmith train` left.

    tinsmith train examples/binary/net.py:birealnet --data digits -o runs/birealnet
    python tests/bench/trained_accuracy.py runs/birealnet [runs/vgg …] [--samples N]

Each folder holds model.onnx and calibrate.npz. Both models classify the digits that validated the training. "same"
is the share of them to which both give the same class. The last columns count layers by what their weights and results
hold.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from tinsmith.frontend import canonicalize, load
from tinsmith.ir.exact import ExactGraph, Weighted, weight_bits
from tinsmith.ir.reader import read_exact
from tinsmith.numerics.float_run import FloatRun
from tinsmith.pipeline import make_exact
from tinsmith.progress import Progress
from tinsmith.train.data import load_digits
from tinsmith.verify.oracle import Oracle

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Comparison:
    """Shares of the samples: right in float, right in integers, the same class from both."""

    name: str
    real: float
    exact: float
    same: float
    graph: ExactGraph


def compare(folder: Path, x: Array, y: Array) -> Comparison:
    """Classify `x` (n, 1, …) of classes `y` with the float model in `folder` and with its exact graph."""
    path = folder / "model.onnx"
    floating = FloatRun(canonicalize(load(path)))
    model = make_exact(path, None, progress=Progress(0, quiet=True)).model
    graph, oracle = read_exact(model), Oracle(model)
    (name,), (output,) = graph.inputs, graph.outputs
    shape = graph.tensors[name].shape
    feeds = [{name: sample.reshape(shape)} for sample in x]
    real = np.array([floating.run(feed)[output].argmax() for feed in feeds])
    exact = np.array([oracle.run(feed)[output].argmax() for feed in feeds])
    shares = ((real == y).mean(), (exact == y).mean(), (real == exact).mean())
    return Comparison(folder.name, *map(float, shares), graph)


def _weights(graph: ExactGraph) -> str:
    counts = Counter(weight_bits(layer) for layer in graph.layers if isinstance(layer, Weighted))
    return ", ".join(f"{count}×{bits} bit" for bits, count in sorted(counts.items()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--samples", type=int, default=10_000, help="at most so many digits")
    arguments = parser.parse_args()
    _, valid = load_digits()
    x, y = (part.numpy()[: arguments.samples] for part in (valid.x, valid.y))
    table = Table("network", "float", "exact", "same", "weights", "tensors of 1 bit", title=f"{len(x)} digits")
    for folder in arguments.folders:
        found = compare(folder, x, y)
        tensors = [tensor.bits == 1 for tensor in found.graph.tensors.values() if tensor.scale]
        numbers = (f"{100 * share:.1f} %" for share in (found.real, found.exact, found.same))
        table.add_row(found.name, *numbers, _weights(found.graph), f"{sum(tensors)} of {len(tensors)}")
    Console().print(table)


if __name__ == "__main__":
    main()
