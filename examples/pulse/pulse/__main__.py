"""Trains, quantizes, compiles and runs the pulse network, and prints and draws time and energy resolution.

    pip install -e '.[torch,cpu,fpga,examples]' -c constraints.txt
    PYTHONPATH=examples/pulse python -m pulse [-o DIR] [--target T] [--data FOLDER]

Expect two tables, resolution.png, and the network of 47.4 dB with its samples and exact graph in DIR; some seven
minutes on two cores. The exit status is 1 where something that README.md promises does not hold.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from pulse.chip import exact_answers, float_answers, quantize, target_answers
from pulse.detector import Detector
from pulse.figure import draw
from pulse.fitting import DEFAULT, Fitted, Schedule, fit_common, level_from, level_states
from pulse.germanium import DATA, germanium
from pulse.network import as_input, estimates
from pulse.results import (
    CHIP,
    FLOAT,
    LEVELS,
    PAPER_DB,
    Table,
    evaluation,
    promises,
    resolution,
    without_networks,
)
from pulse.tables import comparison, show

ROOT = Path(__file__).resolve().parents[3]
EVALUATED = 10_000
"""Pulses on which what needs no network is judged, a level."""
EXACT = 5000
"""Pulses on which the networks are judged, a level, the exact integers on the same as the float ones."""
ON_TARGET = 200
"""Pulses that the target runs, each of whose answers must be the oracle's."""


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="pulse", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "examples/out/pulse", help="folder of results")
    parser.add_argument("--target", default="soc", help="what runs the integers")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="levels trained at a time")
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="where germanium pulses may be")
    return parser.parse_args(words)


def train_all(
    detector: Detector, schedule: Schedule, levels: Sequence[float], jobs: int, console: Console
) -> list[Fitted]:
    """The common network in this process, then those of the levels, `jobs` at a time."""
    torch.set_num_threads(1)

    def progress(step: int, time: float, energy: float) -> None:
        if step % 1000 == 0:
            console.print(f"  step {step} of {schedule.common.steps}: time {time:.2f}, energy {energy:.2f} × the bound")

    common = fit_common(detector, schedule, progress)
    state = common.state_dict()
    found = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        states = [pool.submit(level_states, detector, state, level, schedule) for level in levels]
        for level, job in zip(levels, states, strict=True):
            found.append(level_from(detector, level, job.result()))
            console.print(f"  {level:g} dB: trained, and under rounding")
    return found


def add_networks(table: Table, detector: Detector, fitted: Sequence[Fitted], folder: Path) -> Path:
    """Fill in the float networks and their exact integers; returns the exact graph at the paper's level."""
    table[FLOAT], table[CHIP] = {}, {}
    for level in fitted:
        seen = evaluation(detector, level.snr_db, EXACT)
        inputs = as_input(seen.counts)
        samples = as_input(evaluation(detector, level.snr_db + 0.01, 512).counts)
        exact = quantize(level.rounding, level.ranges, samples, folder / f"{level.snr_db:g}dB")
        for method, answers in (
            (FLOAT, float_answers(level.floating, inputs)),
            (CHIP, exact_answers(exact, inputs)),
        ):
            table[method][level.snr_db] = resolution(seen, *estimates(detector, answers))
    return folder / f"{PAPER_DB:g}dB" / "pulse_net.exact.onnx"


def run_target(target: str, exact: Path, detector: Detector, folder: Path, console: Console) -> None:
    """The same integers on the target, or an error."""
    inputs = as_input(evaluation(detector, PAPER_DB, ON_TARGET).counts)
    target_answers(exact, target, inputs, folder / target)
    console.print(f"  {ON_TARGET} pulses on {target}: every bit of every answer is the oracle's")


def main(words: Sequence[str] | None = None, schedule: Schedule | None = None) -> int:
    """Everything; returns the exit status."""
    chosen, console, detector = arguments(words), Console(soft_wrap=True), Detector()
    target: str = chosen.target
    out: Path = chosen.output
    out.mkdir(parents=True, exist_ok=True)
    console.print("the bound, and estimators without networks")
    table = without_networks(detector, LEVELS, EVALUATED)
    console.print("train the network")
    fitted = train_all(detector, schedule or DEFAULT, LEVELS, chosen.jobs, console)
    console.print("quantize each, and run the integers in the oracle")
    exact = add_networks(table, detector, fitted, out)
    console.print(f"compile for {target} and run")
    run_target(target, exact, detector, out, console)
    show(table, detector, console)
    comparison(table, detector, target, console)
    draw(table, detector, out / "resolution.png")
    console.print(f"drawn: {out / 'resolution.png'}")
    if (chosen.data / DATA).is_file():
        germanium(chosen.data / DATA, out / "germanium", target, console)
    else:
        console.print(f"no germanium pulses: {chosen.data / DATA} is not there")
    kept = promises(table)
    for promise in kept:
        console.print(("  kept    " if promise.kept else "  BROKEN  ") + promise.words)
    return 0 if all(promise.kept for promise in kept) else 1


if __name__ == "__main__":
    np.seterr(over="ignore")
    sys.exit(main())
