"""Removes what no output needs, and closes the canonical stage."""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.stages import Stage
from tinsmith.passes.base import Pass


class DeadCode(Pass):
    """Unused nodes and unused initializers go; afterwards the rules of the canonical stage hold."""

    name = "dead-code"
    requires = Stage.IMPORTED
    ensures = Stage.CANONICAL

    def run(self, model: ir.Model) -> bool:
        """Remove what is unused, in place."""
        from onnx_ir.passes.common import RemoveUnusedNodesPass

        return RemoveUnusedNodesPass()(model).modified
