"""The stages a model passes through, and the check that a model keeps the rules of its stage.

The rules themselves are small functions in ir/rules/. A broken rule is a bug of Tinsmith's, not the user's: passes
must leave a valid model of the stage that they promise, so `check_stage` raises `StageError`, not `TinsmithError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import onnx_ir as ir

from tinsmith.ir.domain import DOMAIN


class Stage(Enum):
    """What holds between two passes; each stage's rules are listed in `tinsmith.ir.rules.RULES`."""

    IMPORTED = "imported"
    """A valid ONNX graph of any operators: topologically ordered, every value defined once."""
    CANONICAL = "canonical"
    """float32, static shapes, batch 1, the small operator set of docs/operators.md."""
    QUANTIZED = "quantized"
    """Canonical with QuantizeLinear/DequantizeLinear at every group's border (standard QDQ)."""
    EXACT = "exact"
    """Integers only: `ai.tinsmith` operators and the standard ones that move 8-bit values."""


@dataclass(frozen=True)
class Broken:
    """One rule that a model breaks: the rule's name, the node or value, and how."""

    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} (rule {self.rule})"


class StageError(RuntimeError):
    """A pass broke the rules of a stage: a bug of Tinsmith's, with every broken rule listed."""

    def __init__(self, stage: Stage, when: str, broken: list[Broken]) -> None:
        self.stage = stage
        self.broken = broken
        lines = "\n  ".join(str(b) for b in broken)
        super().__init__(f"the model is not in stage {stage.value!r}{when}:\n  {lines}")


def broken_rules(model: ir.Model, stage: Stage) -> list[Broken]:
    """Every way in which `model` breaks the rules of `stage`; empty when it keeps them."""
    from tinsmith.ir.rules import RULES

    return [Broken(rule.__name__, where, what) for rule in RULES[stage] for where, what in rule(model)]


def check_stage(model: ir.Model, stage: Stage, *, before: str = "", after: str = "") -> None:
    """Raise `StageError`, naming the pass, if `model` breaks a rule of `stage`.

    Args:
        model: the model to check; unchanged.
        stage: whose rules to apply.
        before: the pass about to run, if any.
        after: the pass that has just run, if any.
    """
    broken = broken_rules(model, stage)
    if broken:
        when = f" before pass {before!r}" if before else f" after pass {after!r}" if after else ""
        raise StageError(stage, when, broken)


def is_exact(model: ir.Model) -> bool:
    """Whether `model` is an exact graph, that is, whether any of its nodes is of the domain `ai.tinsmith`."""
    return any(node.domain == DOMAIN for node in model.graph)
