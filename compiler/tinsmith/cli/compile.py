"""`tinsmith compile MODEL --target T -o DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinsmith.cli.options import (
    CalibrateOption,
    JsonOption,
    ModelArgument,
    RecipeOption,
    SetOption,
    ShapeOption,
    parse_settings,
    parse_shapes,
    print_json,
    print_warnings,
)


def compile(
    model: ModelArgument,
    target: Annotated[str, typer.Option("--target", metavar="T", help="What to build for: see tinsmith targets.")],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The build folder to make or replace.")],
    calibrate: CalibrateOption = None,
    recipe: RecipeOption = None,
    shape: ShapeOption = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the network in the generated code.")
    ] = None,
    interval: Annotated[
        int | None, typer.Option("--interval", metavar="CLOCKS", help="The same as --set interval=CLOCKS.")
    ] = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a model, or an exact graph that quantize made, for a target."""
    from tinsmith import pipeline
    from tinsmith.progress import Progress

    told = [*(settings or []), *([] if interval is None else [f"interval={interval}"])]
    report = pipeline.compile(
        model,
        target,
        out,
        calibrate=calibrate,
        recipe=recipe,
        shapes=parse_shapes(shape),
        name=name,
        settings=parse_settings(told),
        progress=Progress(0, quiet=as_json),
    )
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    print_warnings(report)
    memory = report.memory
    typer.echo(
        f"{out}: {report.name} for {report.target}: weights {memory.weight_bytes:,} bytes, code {memory.code_bytes:,}, "
        f"arena {memory.arena_bytes:,} (lower bound {memory.arena_lower_bound_bytes:,})\n"
        f"prove it with: tinsmith verify {out}"
    )
