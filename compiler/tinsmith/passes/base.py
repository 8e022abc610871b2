"""What a pass is: one class that changes a model in place, says what it needs and what it leaves behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir.stages import Stage, check_stage


class Pass(ABC):
    """One transformation of a model, in place.

    `requires` and `ensures` name the stage whose rules (ir/stages.py) hold before and after; `__call__` checks the
    latter, so a pass that breaks its promise fails where it stands and not three passes later.
    """

    name: ClassVar[str]
    requires: ClassVar[Stage]
    ensures: ClassVar[Stage]

    def __call__(self, model: ir.Model) -> bool:
        """Run the pass; returns whether it changed anything."""
        check_stage(model, self.requires, before=self.name)
        changed = self.run(model)
        check_stage(model, self.ensures, after=self.name)
        return changed

    @abstractmethod
    def run(self, model: ir.Model) -> bool:
        """Change `model` in place; returns whether anything changed."""
