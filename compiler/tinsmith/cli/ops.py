"""`tinsmith ops MODEL --target T`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.options import JsonOption, ModelArgument, ShapeOption, parse_shapes, print_json
from tinsmith.errors import EXIT_USER

if TYPE_CHECKING:
    from tinsmith.frontend.support import Support


def ops(
    model: ModelArgument,
    target: Annotated[str, typer.Option("--target", metavar="T", help="A target: see tinsmith targets.")],
    shape: ShapeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every operator of a model, and every reason why one is not taken."""
    from tinsmith.frontend.support import support

    answer = support(model, target, parse_shapes(shape))
    if as_json:
        print_json(as_dict(answer))
    else:
        _print(answer)
    if not answer.supported:
        raise typer.Exit(EXIT_USER)


def as_dict(answer: Support) -> dict[str, object]:
    """`{"target", "supported", "operators": [{operator, count, supported, problems}], "problems"}`."""
    operators = [
        {
            "operator": row.operator,
            "count": row.count,
            "supported": row.supported,
            "problems": [asdict(problem) for problem in row.problems],
        }
        for row in answer.rows
    ]
    return {
        "target": answer.target,
        "supported": answer.supported,
        "operators": operators,
        "problems": [asdict(problem) for problem in answer.problems],
    }


def _print(answer: Support) -> None:
    # Plain text: this verb has half a second, and importing rich takes a tenth of it.
    width = max((len(row.operator) for row in answer.rows), default=0)
    for row in answer.rows:
        typer.echo(f"{row.operator:<{width}}  {row.count:>5} ×  {'taken' if row.supported else 'not taken'}")
    for problem in (*(p for row in answer.rows for p in row.problems), *answer.problems):
        typer.echo(str(problem))
    if answer.supported:
        typer.echo(f"every operator is taken for {answer.target}")
