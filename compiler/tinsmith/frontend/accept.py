"""The gate: a prepared model passes with nothing against it, or the user hears everything at once."""

from __future__ import annotations

import onnx

from tinsmith.errors import TinsmithError
from tinsmith.frontend.prepare import is_exact_file


def accept(model: onnx.ModelProto) -> None:
    """Raise `TinsmithError` with every reason why Tinsmith does not take `model`; return if there is none."""
    from tinsmith.constraints import GraphView, check

    if not is_exact_file(model):
        problems = check(GraphView(model))
        if problems:
            raise TinsmithError(problems)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        why = str(error).strip().splitlines()[0]
        raise TinsmithError("the model is not valid ONNX", why=why, fix="export it again") from error
