"""Writes docs/operators.md from the table of operators: `python -m tinsmith.constraints.docs docs/operators.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from tinsmith.constraints.check import rule
from tinsmith.constraints.table import EVERY, OPERATORS, REFUSED

INTRODUCTION = """# Operators

<!-- Made by `python -m tinsmith.constraints.docs docs/operators.md` from tinsmith/constraints/. Do not edit. -->

What Tinsmith takes of an ONNX model (opset 9 and up, float32, batch 1), on what conditions, and what the canonical
passes make of it. `tinsmith ops MODEL --target T` checks a model against this table and names every node that does not
keep it. Constant arithmetic, of any operator, is computed while the model is read and does not count.

A part of a graph that computes one value from one other, element by element, is one Table if an operator stands in it
that becomes one below: SiLU is `Mul (x, Sigmoid (x))`, GELU five operators around Erf. Operators that are taken by
themselves too, such as Add, Div, Abs or Relu, may be in it, and need not keep their own conditions there. What the
layer in front of it absorbs stays outside.
"""


def operators_page() -> str:
    """The whole page as Markdown."""
    lines = [INTRODUCTION, "| operator | becomes | conditions |", "|---|---|---|"]
    for name, operator in sorted(OPERATORS.items()):
        rules = " ".join(_cell(rule(constraint)[0]) for constraint in operator.constraints)
        lines.append(f"| {name} | {_cell(operator.becomes)} | {rules} |")
    lines += ["", "## Conditions of every operator", ""]
    lines += [f"- {_cell(rule(constraint)[0])}" for constraint in EVERY]
    lines += [
        "",
        "## Refused, and why",
        "",
        "Every operator that is not in the table is refused. Of these people ask most:",
        "",
    ]
    for reason in dict.fromkeys(REFUSED.values()):
        names = ", ".join(name for name, why in REFUSED.items() if why == reason)
        lines.append(f"- {names}: {reason}.")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(operators_page(), encoding="utf-8")
