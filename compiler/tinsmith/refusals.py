"""How a backend says what it cannot take: small functions whose docstrings are the reasons that users read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinsmith.errors import Problem
from tinsmith.ir.exact import ExactGraph, Layer

Rule = Callable[[ExactGraph, Layer], bool]
"""Whether a layer keeps the rule. The docstring's first paragraph is the reason why it must, the second what to try."""


def refusals(graph: ExactGraph, rules: Sequence[Rule], what: str) -> list[Problem]:
    """A problem for every rule that some layer breaks, in the order of the layers; `what` begins each of them."""
    return [_problem(layer, rule, what) for layer in graph.layers for rule in rules if not rule(graph, layer)]


def _problem(layer: Layer, rule: Rule, what: str) -> Problem:
    where = f"{layer.kind} {layer.name}" + (f" ({layer.source})" if layer.source else "")
    reason, _, fix = (rule.__doc__ or "").partition("\n\n")
    return Problem(what, where, " ".join(reason.split()), " ".join(fix.split()))
