"""`tinsmith estimate MODEL --target T` and `tinsmith estimate DIR --synth FAMILY`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.options import (
    CalibrateOption,
    JsonOption,
    RecipeOption,
    SetOption,
    ShapeOption,
    parse_settings,
    parse_shapes,
    print_json,
    print_table,
)
from tinsmith.errors import Problems

if TYPE_CHECKING:
    from tinsmith.estimates import Estimate, Row, Value


def estimate(
    model: Annotated[str, typer.Argument(metavar="MODEL|DIR", help="An .onnx file, file.py:name; a build folder.")],
    target: Annotated[
        str | None, typer.Option("--target", metavar="T", help="A target or a device: see tinsmith targets.")
    ] = None,
    synth: Annotated[
        str | None, typer.Option("--synth", metavar="FAMILY", help="Of a build: synthesize for ecp5, xc7 or ice40.")
    ] = None,
    calibrate: CalibrateOption = None,
    recipe: RecipeOption = None,
    shape: ShapeOption = None,
    interval: Annotated[
        int | None, typer.Option("--interval", metavar="CLOCKS", help="The same as --set interval=CLOCKS.")
    ] = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what a model would take on a target, in seconds; or synthesize a build and tell what it really takes."""
    from tinsmith import pipeline, verbs
    from tinsmith.progress import Progress

    told = [*(settings or []), *([] if interval is None else [f"interval={interval}"])]
    progress = Progress(0, quiet=as_json)
    _check(target, synth, {"--calibrate": calibrate, "--recipe": recipe, "--shape": shape, "--set": told})
    if synth is not None:
        found = verbs.synthesize(model, synth, progress=progress)
    else:
        found = pipeline.estimate(
            model,
            target or "",
            calibrate=calibrate,
            recipe=recipe,
            shapes=parse_shapes(shape),
            settings=parse_settings(told),
            progress=progress,
        )
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)


def _check(target: str | None, synth: str | None, model_only: dict[str, object]) -> None:
    """Either a target, or a family alone: a build has its target and its settings already."""
    problems = Problems()
    if (target is None) == (synth is None):
        fix = "estimate MODEL --target T, or estimate DIR --synth ecp5"
        problems.add("give either --target (of a model) or --synth (of a build folder)", fix=fix)
    for option, value in model_only.items():
        if synth is not None and value:
            problems.add(f"{option} has no effect on a build", why="it is what it is", fix=f"leave {option} out")
    problems.check()


def _print(found: Estimate) -> None:
    """A table of the layers with their alternatives, one of the whole with its own, and the notes."""
    if found.layers:
        _print_rows([row for layer in found.layers for row in layer.walk()], found, title="layers")
    _print_rows(list(found.whole.walk()), found, title=found.whole.name)
    for note in found.notes:
        typer.echo(note)


def _print_rows(rows: list[Row], found: Estimate, *, title: str) -> None:
    keys = [key for key in found.quantities if any(key in row.values for row in rows)]
    names = ["" if before is not None and before.name == row.name else row.name for before, row in _pairs(rows)]
    cells = [
        [name, row.choice, *(_text(row.values.get(key)) for key in keys)] for name, row in zip(names, rows, strict=True)
    ]
    print_table(["", "choice", *(f">{key}" for key in keys)], cells, title=title)


def _pairs(rows: list[Row]) -> list[tuple[Row | None, Row]]:
    return list(zip([None, *rows[:-1]], rows, strict=True))


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
