"""Proves every range of an exact graph from its weights, and writes what was proved beside each value and node."""

from __future__ import annotations

from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir.metadata import annotate
from tinsmith.ir.reader import read_exact
from tinsmith.ir.stages import Stage
from tinsmith.passes.base import Pass


class ProveRanges(Pass):
    """Brings the metadata in line with the proof; whatever ranges the file claimed do not matter.

    Raises `TinsmithError` naming each layer whose accumulator could pass int32.
    """

    name: ClassVar[str] = "prove_ranges"
    requires: ClassVar[Stage] = Stage.EXACT
    ensures: ClassVar[Stage] = Stage.EXACT

    def run(self, model: ir.Model) -> bool:
        """Prove and annotate; returns whether the metadata said something else before."""
        return annotate(model, read_exact(model))
