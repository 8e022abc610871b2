"""The results as a table on the terminal and as a page for the browser."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich import box
from rich.table import Table

from bibench.track import Outcome, Track

READING = (
    "The formulas are our reading of the BiBench paper. Networks, data and devices are our own, so these numbers "
    "compare the methods with one another and not with any published figure."
)

Outcomes = Mapping[Track, Outcome]


def scores_table(outcomes: Outcomes, methods: Sequence[str]) -> Table:
    """One row a method, one column a track."""
    table = Table(
        title="Overall metrics",
        caption="1 = as good as the real-valued twin; larger is better",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("method", no_wrap=True)
    for track in outcomes:  # by their short names: 80 columns have room for no more
        table.add_column(track.name, justify="right", no_wrap=True)
    for method in methods:
        table.add_row(method, *(_score(outcome, method, "[bold green]{}[/]") for outcome in outcomes.values()))
    return table


def _score(outcome: Outcome, method: str, best: str) -> str:
    value = outcome.scores[method]
    return (best if value == max(outcome.scores.values()) else "{}").format(f"{value:.2f}")


def write_page(outcomes: Outcomes, methods: Sequence[str], picture: Path, path: Path) -> None:
    """Write the page, with the picture inside."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    inline = base64.b64encode(picture.read_bytes()).decode()
    text = environment.get_template("page.html.j2").render(
        outcomes=outcomes, methods=methods, picture=inline, reading=READING
    )
    path.write_text(text, encoding="utf-8")
