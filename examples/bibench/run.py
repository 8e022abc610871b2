"""Compares the eight binary methods on six tracks, after BiBench, and prints, draws and writes the result.

    pip install -e '.[torch,cpu,examples]' -c constraints.txt
    python examples/bibench/run.py [-o DIR] [--full] [--data FOLDER]

Expect a table of scores, bibench.html and bibench.png in DIR. Every finished job is a line of DIR/results.jsonl:
the same command goes on where it was interrupted. The default run takes one seed and small sets; `--full` takes
three seeds, all sets and all settings. Sets that come in no dependency are taken from `--data` where they are there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from bibench.figure import draw
from bibench.page import READING, scores_table, write_page
from bibench.plan import Plan
from bibench.store import Store
from bibench.track import Outcome, Track
from bibench.tracks import TRACKS
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from tinsmith.errors import TinsmithError
from tinsmith.train.methods import METHODS

ROOT = Path(__file__).resolve().parents[2]
PAGE, PICTURE = "bibench.html", "bibench.png"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("bibench"), help="folder of results")
    parser.add_argument("--full", action="store_true", help="three seeds, all sets, all settings")
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data", help="folder of further sets")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS), metavar="METHOD")
    names = [track.name for track in TRACKS]
    parser.add_argument("--tracks", nargs="+", choices=names, default=names, metavar="TRACK", help=", ".join(names))
    return parser.parse_args(words)


def run_jobs(plan: Plan, tracks: Sequence[Track], console: Console) -> dict[Track, Outcome]:
    """Do what is missing, with a bar; what every track found."""
    store = Store(plan.out)
    missing = store.missing([job for track in tracks for job in track.jobs(plan)])
    columns = (TextColumn("{task.description:44.44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=len(missing))
        for job in missing:
            progress.update(bar, description=job.key)
            store.run(job)
            progress.advance(bar)
    return {track: track.evaluate(plan, store.results) for track in tracks}


def main(words: Sequence[str] | None = None) -> int:
    """Compare; the exit code."""
    options = arguments(words)
    torch.set_num_threads(1)
    plan = Plan(options.output, options.data, options.full, tuple(options.methods))
    try:
        outcomes = run_jobs(plan, [track for track in TRACKS if track.name in options.tracks], Console(stderr=True))
    except TinsmithError as error:
        print(error, file=sys.stderr)
        return 1
    draw(outcomes, plan.out / PICTURE)
    write_page(outcomes, plan.methods, plan.out / PICTURE, plan.out / PAGE)
    Console().print(scores_table(outcomes, plan.methods), f"\n{READING}\n\n{plan.out / PAGE}", sep="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
