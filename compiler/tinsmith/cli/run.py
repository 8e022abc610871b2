"""`tinsmith run DIR --input X.npz -o out.npz`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinsmith.cli.options import FolderArgument, JsonOption, RunnerOption, print_json


def run(
    folder: FolderArgument,
    inputs: Annotated[
        Path, typer.Option("--input", metavar="X.npz", help="One array a model input, by name, samples first.")
    ],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="out.npz", help="Where the outputs go.")],
    runner: RunnerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the artefact on samples and write its outputs."""
    from tinsmith import verbs
    from tinsmith.progress import Progress

    outputs = verbs.run(folder, inputs, out, runner=runner, progress=Progress(0, quiet=as_json))
    if as_json:
        shapes = {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in outputs.items()}
        print_json({"output": str(out), "arrays": shapes})
        return
    for name, array in outputs.items():
        typer.echo(f"{out}: {name} {array.dtype} {array.shape}")
