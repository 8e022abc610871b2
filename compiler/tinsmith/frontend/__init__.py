"""Brings a user's model in: `load` a file, `canonicalize` it. Nothing heavy is imported before it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir


def load(ref: str | Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> ir.Model:
    """Read a model and check that Tinsmith takes all of it.

    Args:
        ref: an `.onnx` file, or `file.py:name`, a function that returns a torch module and example inputs.
        shapes: shapes for inputs by name, as `--shape x=1,3,32,32` gives them; they fix what the file leaves open.

    Returns:
        The float model (stage IMPORTED): opset 18, every shape static, batch 1, each node with its provenance. A file
        that holds operators of `ai.tinsmith` already is returned as it is.

    Raises:
        TinsmithError: with everything that is wrong with the file or with the model.
    """
    import onnx_ir as ir

    from tinsmith.frontend.accept import accept
    from tinsmith.frontend.reference import read
    from tinsmith.ir.domain import IR_VERSION

    proto = read(ref, shapes or {})
    accept(proto)
    model: ir.Model = ir.from_proto(proto)
    model.ir_version = max(model.ir_version, IR_VERSION)
    return model


def canonicalize(model: ir.Model) -> ir.Model:
    """Run the canonical pipeline (passes/pipelines.py) on an imported model, in place, and return it.

    Raises:
        TinsmithError: folding made weights too large for float32.
    """
    from tinsmith.frontend.finite import check_finite
    from tinsmith.passes.pipelines import CANONICAL

    for make in CANONICAL:
        make()(model)
    check_finite(model)
    return model
