"""Accuracy of every binary method and of shift weights beside that of the float twin, trained from scratch.

    python tests/bench/training_accuracy.py [--data digits|fashion|all] [--seeds 0,1,2] [--methods real,bnn,…] -o DIR

Trains the networks of examples/binary/net.py and prints, for each, the share of test samples that it gets right.
A tenth of the training samples chooses the epoch; test samples are seen once. Every finished training is a line of
DIR/results.jsonl and is not repeated: the same command goes on where it was interrupted. Ends with exit code 1 when
a goal is missed. `--exact` adds, for the first seed, the accuracy of the exact integers that the network becomes.

`linear` is the float twin without its blocks: what the real-valued stem and head reach alone.

Fashion-MNIST is not part of the project: fashion_mnist_train30k.npz and fashion_mnist_test_first5k.npz, with arrays
x and y, in the folder `--fashion`; without them the set is left out. One thread, so that a seed gives one result.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accuracy import CALIBRATION, percent_right
from rich.console import Console
from rich.table import Table
from tinsmith.errors import TinsmithError
from tinsmith.frontend import canonicalize
from tinsmith.frontend import load as load_model
from tinsmith.passes.lower_exact import lower
from tinsmith.passes.quantize import quantize
from tinsmith.progress import Progress
from tinsmith.train.checkpoint import write_state
from tinsmith.train.data import Samples, fit_shape, load_digits, load_npz
from tinsmith.train.evaluate import accuracy
from tinsmith.train.exporting import export
from tinsmith.train.fitting import fit
from tinsmith.train.from_file import load_net
from tinsmith.train.methods import METHODS
from tinsmith.verify.oracle import Oracle

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = ROOT / "examples/binary/net.py"
FASHION = ROOT / "../shared/data"
FASHION_FILES = ("fashion_mnist_train30k.npz", "fashion_mnist_test_first5k.npz")
FLOAT, CONTROL = "real", "linear"
SHIFTS = ("shift2", "shift3", "shift4")
VARIANTS = (FLOAT, *METHODS, *SHIFTS, CONTROL)
RESULTS = "results.jsonl"
HELD_OUT = 0.1
"""Share of the training samples that chooses the epoch."""
SHIFT_POINTS = {"shift2": 2.0, "shift3": 1.0, "shift4": 0.7}
"""By how many points shift weights may be worse than float."""
BINARY_POINTS = {"fashion": 4.0}
"""By how many the best binary method may be."""
LEAST = 75.0
"""Per cent that every binary network gets right."""


@dataclass(frozen=True)
class Schedule:
    """How the networks for one data set are trained: all alike."""

    epochs: int
    batch: int
    rate: float


SCHEDULES = {"digits": Schedule(12, 32, 2e-3), "fashion": Schedule(3, 64, 2e-3)}


@dataclass(frozen=True)
class Trained:
    """One training.

    Attributes:
        data: the set's name.
        method: one of `VARIANTS`.
        seed: of weights and order.
        percent: of the test samples that are classified rightly.
        seconds: of processor time.
    """

    data: str
    method: str
    seed: int
    percent: float
    seconds: float


def reference(data: str, method: str) -> str:
    """The function of the examples that makes the network: FILE.py:NAME."""
    name = method.replace("++", "_plus")
    return f"{NETWORKS}:{name}" if data == "digits" else f"{NETWORKS}:{data}_{name}"


def load(data: str, fashion: Path, shape: tuple[int, ...]) -> tuple[Samples, Samples, Samples]:
    """Samples for training, for choosing the epoch, and for the test."""
    if data == "digits":
        known, test = load_digits()
    else:
        known, test = (load_npz(fashion / name) for name in FASHION_FILES)
    held = round(len(known) * HELD_OUT)
    parts = Samples(known.x[held:], known.y[held:]), Samples(known.x[:held], known.y[:held]), test
    train, valid, test = (fit_shape(part, shape, data) for part in parts)
    return train, valid, test


def state_file(out: Path, data: str, method: str, seed: int) -> Path:
    """Where a training leaves its network's parameters."""
    return out / f"{data}-{method}-{seed}.pt"


def train_one(data: str, method: str, seed: int, fashion: Path, out: Path) -> Trained:
    """Train and test one network; its state goes to `state_file`."""
    net, shape = load_net(reference(data, method), seed)
    train, valid, test = load(data, fashion, shape)
    start = time.process_time()
    fit(net, train, valid, seed=seed, progress=Progress(0, quiet=True), **asdict(SCHEDULES[data]))
    seconds = time.process_time() - start
    write_state(state_file(out, data, method, seed), net.state_dict())
    return Trained(data, method, seed, round(accuracy(net, test) * 100, 3), round(seconds, 2))


def finished(out: Path) -> dict[tuple[str, str, int], Trained]:
    """What earlier runs left in `out`."""
    path = out / RESULTS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [Trained(**json.loads(line)) for line in lines]
    return {(row.data, row.method, row.seed): row for row in rows}


def train_all(
    sets: Sequence[str], methods: Sequence[str], seeds: Sequence[int], fashion: Path, out: Path
) -> list[Trained]:
    """Every combination, the missing ones trained: all methods with one seed before the next seed."""
    out.mkdir(parents=True, exist_ok=True)
    known = finished(out)
    wanted = [(data, method, seed) for seed in seeds for data in sets for method in methods]
    progress = Progress(sum(key not in known for key in wanted), stream=sys.stderr)
    for key in wanted:
        if key in known:
            continue
        with progress.step("{} {} seed {}".format(*key)):
            known[key] = train_one(*key, fashion=fashion, out=out)
            with (out / RESULTS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(known[key])) + "\n")
    return [known[key] for key in wanted]


def exact_percent(row: Trained, fashion: Path, out: Path) -> float:
    """Per cent of the test samples that the exact integers of a trained network get right."""
    net, shape = load_net(reference(row.data, row.method), row.seed)
    state = state_file(out, row.data, row.method, row.seed)
    net.load_state_dict(torch.load(state, weights_only=True))
    train, _, test = load(row.data, fashion, shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export(net, train.x[:1], path)
        model = canonicalize(load_model(path))
    name = model.graph.inputs[0].name or ""
    quantize(model, {name: train.x[:CALIBRATION, None].numpy()})
    lower(model)
    return percent_right(Oracle(model).run, model, test.x[:, None].numpy(), test.y.numpy())


def add_exact(table: Sequence[dict[str, Any]], rows: Sequence[Trained], fashion: Path, out: Path) -> None:
    """Put the exact integers' accuracy, and in points to the same float parameters', into every row of the table."""
    for entry in table:
        first = next(row for row in rows if (row.data, row.method) == (entry["data"], entry["method"]))
        entry["exact"] = exact_percent(first, fashion, out)
        entry["to trained"] = entry["exact"] - first.percent


def summary(rows: Sequence[Trained]) -> list[dict[str, Any]]:
    """One row a data set and method, over the seeds: per cent right, points to float, mean seconds."""
    groups: dict[tuple[str, str], list[Trained]] = {}
    for row in rows:
        groups.setdefault((row.data, row.method), []).append(row)
    found = []
    for (data, method), members in groups.items():
        percents = [row.percent for row in members]
        mean = statistics.fmean(percents)
        twins = [row.percent for row in groups.get((data, FLOAT), [])]
        found.append(
            {
                "data": data,
                "method": method,
                "mean": mean,
                "min": min(percents),
                "max": max(percents),
                "to float": round(mean - statistics.fmean(twins), 6) if twins else float("nan"),
                "seconds": statistics.fmean(row.seconds for row in members),
            }
        )
    return found


def missed(table: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The goals that a summary misses."""
    for row in table:
        name = f"{row['data']} {row['method']}"
        if row["method"] in METHODS and row["mean"] <= LEAST:
            yield f"{name}: {row['mean']:.2f} % is not above {LEAST:g} %"
        points = SHIFT_POINTS.get(row["method"])
        if points is not None and row["to float"] < -points:
            yield f"{name}: {row['to float']:+.2f} points to float, at most {-points:+g} allowed"
    for data, points in BINARY_POINTS.items():
        binary = [row["to float"] for row in table if row["data"] == data and row["method"] in METHODS]
        if binary and max(binary) < -points:
            yield f"{data}: the best binary method is {max(binary):+.2f} points to float, at most {-points:+g} allowed"


def show(table: Sequence[dict[str, Any]]) -> None:
    """Print rows."""
    printed = Table(*table[0])
    for row in table:
        printed.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row.values()))
    Console().print(printed)


def available(data: str, fashion: Path) -> list[str]:
    """The data sets to train on; those that are not there are named on stderr."""
    sets = list(SCHEDULES) if data == "all" else [data]
    missing = [name for name in FASHION_FILES if not (fashion / name).exists()]
    if "fashion" in sets and missing:
        print(f"fashion is left out: {fashion} has no {' and no '.join(missing)}", file=sys.stderr)
        sets.remove("fashion")
    return sets


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=[*SCHEDULES, "all"], default="all")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(VARIANTS))
    parser.add_argument("--fashion", type=Path, default=FASHION, help="folder of the Fashion-MNIST files")
    parser.add_argument("--exact", action="store_true", help="measure the exact integers too, for the first seed")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of finished trainings")
    options = parser.parse_args()
    unknown = [method for method in options.methods if method not in VARIANTS]
    if unknown:
        parser.error(f"no method {', '.join(unknown)}; there are {', '.join(VARIANTS)}")
    return options


def main() -> int:
    """Train what is missing and print; the exit code."""
    options = arguments()
    torch.set_num_threads(1)
    sets = available(options.data, options.fashion)
    if not sets:
        return 1
    try:
        rows = train_all(sets, options.methods, options.seeds, options.fashion, options.output)
        table = summary(rows)
        if options.exact:
            add_exact(table, rows, options.fashion, options.output)
    except TinsmithError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(table, indent=1)) if options.json else show(table)
    goals = list(missed(table))
    print("\n".join(goals), file=sys.stderr) if goals else None
    return 1 if goals else 0


if __name__ == "__main__":
    sys.exit(main())
