"""`tinsmith quantize MODEL -o EXACT.onnx`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinsmith.cli.options import (
    CalibrateOption,
    JsonOption,
    ModelArgument,
    RecipeOption,
    ShapeOption,
    parse_shapes,
    print_json,
)


def quantize(
    model: ModelArgument,
    out: Annotated[Path, typer.Option("-o", "--output", metavar="EXACT.onnx", help="The exact graph to write.")],
    calibrate: CalibrateOption = None,
    recipe: RecipeOption = None,
    shape: ShapeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the exact graph, once; every target takes it."""
    from tinsmith import pipeline
    from tinsmith.progress import Progress

    progress = Progress(0, quiet=as_json)
    pipeline.quantize(model, calibrate, out, recipe=recipe, shapes=parse_shapes(shape), progress=progress)
    if as_json:
        print_json({"exact": str(out)})
    else:
        typer.echo(f"{out}: the exact graph; compile it with: tinsmith compile {out} --target T -o DIR")
