"""Prints what quickstart.sh made: one line a target. Fails unless every target is exact and as accurate as promised.

python table.py TARGET…
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from net import OUT
from rich.console import Console
from rich.table import Table

MOST_LOST = 0.005
"""Accuracy that quantization may cost."""


@dataclass(frozen=True)
class Row:
    target: str
    accuracy: float
    arena: int
    weights: int
    code: int
    exact: bool
    compared: int


def read_row(target: str, labels: np.ndarray) -> Row | None:
    """The line of one target; None where it was not built, run or verified."""
    report, outputs, verified = OUT / target / "report.json", OUT / f"{target}.npz", OUT / f"{target}.verify.json"
    if not (report.is_file() and outputs.is_file() and verified.is_file()):
        return None
    memory = json.loads(report.read_text())["memory"]
    proof = json.loads(verified.read_text())
    with np.load(outputs) as arrays:
        logits = arrays[arrays.files[0]]
    return Row(
        target,
        float((logits.argmax(1) == labels).mean()),
        memory["arena_bytes"],
        memory["weight_bytes"],
        memory["code_bytes"],
        proof.get("exact", False),
        proof.get("values_compared", 0),
    )


def print_rows(rows: list[Row], missing: list[str], float_accuracy: float) -> None:
    title = f"digits: {float_accuracy:.1%} in float"
    table = Table(title=title, caption="arena, weights and code in bytes")
    table.add_column("target")
    for name in ("accuracy int8", "arena", "weights", "code"):
        table.add_column(name, justify="right")
    table.add_column("exact")
    for row in rows:
        exact = f"[green]yes[/], {row.compared:,} values" if row.exact else "[red]NO[/]"
        numbers = (f"{row.accuracy:.1%}", f"{row.arena:,}", f"{row.weights:,}", f"{row.code:,}")
        table.add_row(row.target, *numbers, exact)
    for target in missing:
        table.add_row(target, "", "", "", "", "[red]not built: see above[/]")
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def main(targets: list[str]) -> None:
    with np.load(Path(OUT) / "test.npz") as test:
        labels = test["label"]
    float_accuracy = json.loads((OUT / "float.json").read_text())["accuracy"]
    found = {target: read_row(target, labels) for target in targets}
    rows = [row for row in found.values() if row is not None]
    print_rows(rows, [target for target, row in found.items() if row is None], float_accuracy)
    if len(rows) < len(targets) or not all(row.exact for row in rows):
        sys.exit("not every target is exact")
    if min(row.accuracy for row in rows) < float_accuracy - MOST_LOST:
        sys.exit(f"quantization costs more than {MOST_LOST:.1%}")


if __name__ == "__main__":
    main(sys.argv[1:])
