"""`tinsmith bench DIR`."""

from __future__ import annotations

from typing import Annotated

import typer

from tinsmith.cli.options import FolderArgument, JsonOption, RunnerOption, print_json


def bench(
    folder: FolderArgument,
    runner: RunnerOption = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", metavar="N", help="How many inferences to time; default 20.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Time inferences in the artefact's own process.

    Under an emulator the seconds are the emulator's: they compare builds, not devices.
    """
    from tinsmith import verbs
    from tinsmith.progress import Progress

    count = verbs.DEFAULT_REPEATS if repeats is None else repeats
    timing = verbs.bench(folder, runner=runner, repeats=count, progress=Progress(0, quiet=as_json))
    if as_json:
        print_json(timing.as_json())
        return
    rate = timing.macs / timing.median_s / 1e9 if timing.median_s else 0.0
    note = " (the emulator's time, not a device's)" if timing.runner.startswith("qemu") else ""
    typer.echo(
        f"{timing.target}, {timing.runner}: median {timing.median_s * 1e3:.3f} ms, best {timing.min_s * 1e3:.3f} ms "
        f"of {timing.repeats}; {rate:.2f} G multiply-accumulates a second{note}"
    )
