"""`tinsmith`: the verbs, and how an error reaches the user."""

from __future__ import annotations

import gc
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated

import typer

from tinsmith.cli.bench import bench
from tinsmith.cli.compile import compile
from tinsmith.cli.doctor import doctor
from tinsmith.cli.estimate import estimate
from tinsmith.cli.inspect import inspect
from tinsmith.cli.ops import ops
from tinsmith.cli.options import print_json
from tinsmith.cli.quantize import quantize
from tinsmith.cli.run import run
from tinsmith.cli.targets import targets
from tinsmith.cli.train import train
from tinsmith.cli.verify import verify
from tinsmith.errors import EXIT_USER, TinsmithError

VERBS = (quantize, compile, verify, run, bench, estimate, inspect, ops, targets, doctor, train)


def app() -> typer.Typer:
    """The command line as a typer application."""
    made = typer.Typer(
        help="PyTorch and ONNX networks to exact integer code for small devices.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    made.callback()(_common)
    for verb in VERBS:
        made.command()(verb)
    return made


def main() -> None:
    """Entry point. Exit code 0 is success, 1 a build that is not exact, 2 a mistake in what was given."""
    gc.set_threshold(100_000)  # what imports leave lives on: collecting in between is a tenth of a short command's time
    try:
        app()()
    except TinsmithError as error:
        report_error(error, as_json="--json" in sys.argv[1:])
        sys.exit(EXIT_USER)


def report_error(error: TinsmithError, *, as_json: bool) -> None:
    """Every problem: in words on stderr, or as `{"error": [{what, where, why, fix}]}` on stdout."""
    if as_json:
        print_json({"error": [asdict(problem) for problem in error.problems]})
        return
    for problem in error.problems:
        typer.echo(f"error: {problem}", err=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinsmith {version('tinsmith')}")
        raise typer.Exit


def _common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
