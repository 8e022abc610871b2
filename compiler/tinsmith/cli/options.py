"""Arguments and options that several verbs share, and what they print with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinsmith.errors import Problems

if TYPE_CHECKING:
    from tinsmith.report.model import Report

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="An .onnx file, or file.py:name.")]
FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A build folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
CalibrateOption = Annotated[
    Path | None,
    typer.Option("--calibrate", metavar="X.npz", help="Samples: one array a model input, by name, samples first."),
]
RecipeOption = Annotated[
    Path | None, typer.Option("--recipe", metavar="R.toml", help="What to do to which layer (docs/recipe.md).")
]
ShapeOption = Annotated[
    list[str] | None,
    typer.Option("--shape", metavar="NAME=1,3,32,32", help="Shape of an input that has a dynamic one; repeatable."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="What the target is told; KEY@LAYER=VALUE for single layers. Repeatable."
    ),
]
RunnerOption = Annotated[
    str | None,
    typer.Option("--runner", "--sim", metavar="NAME", help="How to run the artefact; default: the target's own way."),
]


def parse_shapes(texts: list[str] | None) -> dict[str, tuple[int, ...]]:
    """["x=1,3,32,32"] → {"x": (1, 3, 32, 32)}; raises `TinsmithError` with every text that is not of that form."""
    shapes: dict[str, tuple[int, ...]] = {}
    problems = Problems()
    for text in texts or ():
        name, _, sizes = text.rpartition("=")
        parts = sizes.split(",")
        if not name or not all(part.strip().isdecimal() for part in parts):
            problems.add(f"--shape {text!r} is not NAME=SIZE,SIZE,…", fix="--shape x=1,3,32,32")
        elif name in shapes:
            problems.add(f"--shape gives input {name!r} twice", fix="leave one of them out")
        else:
            shapes[name] = tuple(map(int, parts))
    problems.check()
    return shapes


def parse_settings(texts: list[str] | None) -> dict[str, str]:
    """["interval=1024"] → {"interval": "1024"}; raises `TinsmithError` with every text that is not of that form."""
    problems = Problems()
    settings: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            problems.add(f"--set {text!r} is not KEY=VALUE", fix="--set interval=1024")
        elif key in settings:
            problems.add(f"--set gives {key!r} twice", fix="leave one of them out")
        settings[key] = value
    problems.check()
    return settings


def print_json(value: Any) -> None:
    """Print one JSON value on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_warnings(report: Report) -> None:
    """Print what fell short of what was asked for, one line a warning."""
    for warning in report.warnings:
        typer.echo(f"warning: {warning.name}: {warning.text}")


def print_table(columns: list[str], rows: list[list[str]], *, title: str = "") -> None:
    """Print a table; columns whose name starts with ">" are numbers and stand to the right.

    Where stdout is no terminal it is as wide as its content, so that a pipe or a log loses nothing.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(
            highlight=False, width=max(console.measure(table, options=console.options.update(width=10000)).maximum, 80)
        )
    console.print(table)
