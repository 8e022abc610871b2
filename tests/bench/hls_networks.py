"""Real networks on every HLS flow, every layer that its C++ shows compared with the oracle.

    python tests/bench/hls_networks.py [--samples 1000] [--networks digits,mlp] [--flows hls-vitis]
        [--io-type io_stream] [--scales power-of-two]

The networks are those of tests/fpga_nets.py, the samples real images. A sample is wrong where one value of one layer
is. Ends with exit code 1 when one is, or when a weight file is not what the exact graph says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fpga_nets import NETS, exact, inputs
from rich.console import Console
from rich.table import Table
from tinsmith import pipeline
from tinsmith.artefact import EXACT_NAME, Artefact
from tinsmith.verify.oracle import Oracle
from tinsmith_backends.hls.targets import TARGETS


@dataclass(frozen=True)
class Row:
    """One network on one flow: values compared and samples with a wrong one, seconds of g++ and of all samples."""

    network: str
    flow: str
    io_type: str
    samples: int
    values: int
    wrong: int
    compiled_s: float
    ran_s: float


def measure(network: str, flow: str, io_type: str, scales: str, samples: int, folder: Path) -> Row:
    """Compile the project, run it, and compare."""
    file = exact(network, f'scales = "{scales}"\n')
    pipeline.compile(file, flow, folder, settings={"io_type": io_type})
    artefact = Artefact.open(folder)
    start = time.perf_counter()
    running = artefact.runner()
    linked = time.perf_counter()
    ((name, images),) = inputs(network, samples).items()
    fed = [{name: image} for image in images]
    answers = list(running.run(fed))
    ran = time.perf_counter()
    oracle = Oracle(folder / EXACT_NAME)
    values = wrong = 0
    for sample, answer in zip(fed, answers, strict=True):
        expected = oracle.run(sample)
        values += sum(array.size for array in answer.values())
        wrong += any(not np.array_equal(array, expected[key]) for key, array in answer.items())
    if running.constants() != artefact.backend.expected_constants(artefact.graph, flow):
        raise SystemExit(f"{network} on {flow}: its weight files are not those of the exact graph")
    return Row(network, flow, io_type, len(fed), values, wrong, linked - start, ran - linked)


def show(rows: list[Row], scales: str) -> None:
    """Print the table."""
    table = Table(title=f"scales: {scales}")
    for column in ("network", "flow", "io_type"):
        table.add_column(column)
    for column in ("samples", "values", "wrong samples", "g++, s", "run, s"):
        table.add_column(column, justify="right")
    for row in rows:
        numbers = (f"{row.samples:,}", f"{row.values:,}", f"{row.wrong:,}", f"{row.compiled_s:.1f}", f"{row.ran_s:.1f}")
        table.add_row(row.network, row.flow, row.io_type, *numbers)
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def main() -> None:
    """Measure and print; the exit code says whether all was equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--networks", default=",".join(NETS))
    parser.add_argument("--flows", default=",".join(TARGETS))
    parser.add_argument("--io-type", default="io_parallel", choices=["io_parallel", "io_stream"])
    parser.add_argument("--scales", default="real", choices=["real", "power-of-two"])
    given = parser.parse_args()
    rows = []
    for network in given.networks.split(","):
        for flow in given.flows.split(","):
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place) / "build"
                rows.append(measure(network, flow, given.io_type, given.scales, given.samples, folder))
            print(rows[-1], file=sys.stderr)
    show(rows, given.scales)
    sys.exit(any(row.wrong for row in rows))


if __name__ == "__main__":
    main()
