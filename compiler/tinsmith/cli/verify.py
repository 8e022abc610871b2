"""`tinsmith verify DIR`."""

from __future__ import annotations

from typing import Annotated

import typer

from tinsmith.cli.options import FolderArgument, JsonOption, RunnerOption, print_json
from tinsmith.errors import EXIT_MISMATCH


def verify(
    folder: FolderArgument,
    runner: RunnerOption = None,
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", help="How many inputs to try; default 24.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the artefact and compare every layer with the exact graph, bit by bit.

    Exit code 1 if any bit differs.
    """
    from tinsmith import verbs
    from tinsmith.progress import Progress

    count = verbs.DEFAULT_SAMPLES if samples is None else samples
    found = verbs.verify(folder, runner=runner, samples=count, progress=Progress(0, quiet=as_json))
    if as_json:
        print_json(found.as_json())
    elif found.exact:
        typer.echo(
            f"exact: {found.values_compared:,} values of {found.layers_compared} layers on {found.samples} samples, "
            f"and {found.constants_compared:,} bytes of constants ({found.target}, {found.runner})"
        )
    else:
        typer.echo(f"NOT exact ({found.target}, {found.runner}): {found.first_mismatch}", err=True)
    if not found.exact:
        raise typer.Exit(EXIT_MISMATCH)
