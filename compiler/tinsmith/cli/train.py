"""`tinsmith train FILE.py:NAME --data digits|X.npz -o DIR`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tinsmith.cli.options import JsonOption, print_json


def train(
    model: Annotated[str, typer.Argument(metavar="FILE.py:NAME", help="A function: (module, example input).")],
    data: Annotated[
        str,
        typer.Option("--data", metavar="D", help="digits, or an .npz file: x (samples first) and y (classes)."),
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Where model.onnx, checkpoint.pt and metrics.json go."),
    ],
    valid: Annotated[
        Path | None,
        typer.Option("--valid", metavar="V.npz", help="What to validate with; default: a fifth of the data."),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="Passes over the data.")] = 20,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of weights and order: one seed, one result.")] = 0,
    batch: Annotated[int, typer.Option("--batch", metavar="N", help="Samples in one step.")] = 64,
    rate: Annotated[float, typer.Option("--rate", metavar="R", help="Learning rate at the start.")] = 1e-3,
    optimizer: Annotated[str, typer.Option("--optimizer", metavar="NAME", help="adam or sgd.")] = "adam",
    decay: Annotated[
        str, typer.Option("--decay", metavar="NAME", help="How the rate falls: cosine or step.")
    ] = "cosine",
    as_json: JsonOption = False,
) -> None:
    """Train a classifier; the same command goes on where an interrupted one stopped."""
    from tinsmith.progress import Progress
    from tinsmith.train.from_file import train_file

    fitted = train_file(
        model,
        data,
        out,
        valid=valid,
        epochs=epochs,
        seed=seed,
        batch=batch,
        rate=rate,
        optimizer=optimizer,
        decay=decay,
        progress=Progress(0, quiet=as_json),
    )
    if as_json:
        print_json(asdict(fitted))
        return
    typer.echo(
        f"{out}: {fitted.accuracy:.1%} of the validation samples after epoch {fitted.epoch} of {epochs}; "
        f"{fitted.seconds:.0f} s of training\n"
        f"build it with: tinsmith compile {out / 'model.onnx'} --target T -o DIR"
    )
