"""The results as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid

from pulse.detector import Detector
from pulse.results import BOUND, CHIP, FLOAT, METHODS, PAPER_DB, Table

WORDS = (
    "The last line is what PulseDL-II (IEEE TNS 2023) published at a signal-to-noise ratio of 47.4 dB. Its pulses are "
    "not ours, nor need its sampling and its definition of the ratio be: picoseconds and percent stand side by side "
    "and compare nothing. What can be compared is a network with the bound for its own pulses, and for those of the "
    "publication we know none."
)


def show(table: Table, detector: Detector, console: Console) -> None:
    """Time in picoseconds and energy in percent, a column a signal-to-noise ratio."""
    levels = list(table[BOUND])
    picoseconds = 1000 * detector.period_ns
    for title, cell in (
        (f"time resolution, ps (a sampling period is {picoseconds:g} ps)", lambda r: f"{r.time * picoseconds:.1f}"),
        ("energy resolution, % of the mean energy", lambda r: f"{100 * r.energy:.3f}"),
    ):
        grid = Grid(title=f"{title}; root mean square", caption="columns: signal-to-noise ratio, dB")
        grid.add_column("")
        for level in levels:
            grid.add_column(f"{level:g}", justify="right")
        for method in METHODS:
            grid.add_row(method, *(cell(table[method][level]) for level in levels))
        console.print(grid)


def comparison(table: Table, detector: Detector, target: str, console: Console) -> None:
    """The column of the published chip, and what it says and does not."""
    grid = Grid(title=f"{PAPER_DB} dB")
    for name in ("", "time", "energy"):
        grid.add_column(name, justify="right" if name else "left")
    for method in (BOUND, FLOAT, CHIP):
        found = table[method][PAPER_DB]
        name = f"{method}, as {target} computes it" if method == CHIP else method
        grid.add_row(name, f"{1000 * detector.period_ns * found.time:.0f} ps", f"{100 * found.energy:.2f} %")
    grid.add_row("PulseDL-II, published, other pulses", "60 ps", "0.40 %")
    console.print(grid)
    console.print(WORDS)
