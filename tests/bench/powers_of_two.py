"""What scales of powers of two cost in accuracy, and which multipliers they save.

    python tests/bench/powers_of_two.py

The networks are those of tests/fpga_nets.py that are trained on digits; the images are the 360 that training held out.
dB is the signal-to-quantization-noise ratio of the scores; multipliers are constants of requantization that are no
powers of two. All of it is the exact graph's, so it holds for every target.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fpga_nets import NETS, exact, inputs
from rich.console import Console
from rich.table import Table
from tinsmith.exact_file import load_exact
from tinsmith.fidelity import noted_fidelity
from tinsmith.ir.reader import read_exact
from tinsmith.report.make import multipliers
from tinsmith.train.data import load_digits
from tinsmith.verify.oracle import Oracle

SCALES = ("real", "power-of-two")


@dataclass(frozen=True)
class Row:
    """One network with one kind of scales."""

    right: float
    decibel: float
    multipliers: int


def measure(network: str, scales: str) -> Row:
    """Accuracy, fidelity of the scores, and multipliers of one exact graph."""
    file = exact(network, f'scales = "{scales}"\n')
    model = load_exact(file)
    graph, oracle = read_exact(model), Oracle(file)
    known, held = load_digits()
    ((name, images),) = inputs(network, len(held), start=len(known)).items()
    (output,) = graph.outputs
    guesses = np.array([oracle.run({name: image})[output].argmax() for image in images])
    right = float((guesses == held.y.numpy()).mean()) * 100
    return Row(right, noted_fidelity(model)[graph.layers[-1].name], sum(map(multipliers, graph.layers)))


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    table = Table()
    table.add_column("network")
    for what in ("right, %", "dB", "multipliers"):
        for scales in SCALES:
            table.add_column(f"{what}: {scales}", justify="right")
    for network in (name for name in NETS if name != "tfc"):
        rows = [measure(network, scales) for scales in SCALES]
        right, decibel = ([f"{getattr(row, key):.1f}" for row in rows] for key in ("right", "decibel"))
        table.add_row(network, *right, *decibel, *(str(row.multipliers) for row in rows))
    Console(width=None if sys.stdout.isatty() else 150).print(table)


if __name__ == "__main__":
    main()
