"""Folding multiplies weights; the products must still be numbers."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.errors import Problems
from tinsmith.ir.provenance import layer_name, source


def check_finite(model: ir.Model) -> None:
    """Raise `TinsmithError` with every layer that has a constant which is NaN or infinite."""
    problems = Problems()
    for node in model.graph:
        for value in node.inputs:
            if value is None or value.const_value is None or value.dtype != ir.DataType.FLOAT:
                continue
            if not np.isfinite(value.const_value.numpy()).all():
                where = f"{node.op_type} {layer_name(node)!r} ({source(node)})"
                why = "a scale, or a normalization with a variance near 0, multiplies them beyond float32"
                fix = "look at the scales and variances of these layers"
                problems.add("its weights overflow when they are folded", where=where, why=why, fix=fix)
                break
    problems.check()
