"""What a user should know about a layer of a model, kept in the model's metadata until a report shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import onnx_ir as ir

from tinsmith.errors import TinsmithError

WARNINGS = "tinsmith.warnings"
"""Model metadata: a JSON list of [layer, text]."""


@dataclass(frozen=True)
class LayerWarning:
    """One warning: the layer's name in the exact graph, and one sentence that says what happened and why."""

    layer: str
    text: str


def warn(model: ir.Model, layer: str, text: str) -> None:
    """Add a warning about `layer` to `model`, once; for example that it stayed 8 bit, and why."""
    found = warnings_of(model)
    added = LayerWarning(layer, text)
    if added not in found:
        model.metadata_props[WARNINGS] = json.dumps([[w.layer, w.text] for w in (*found, added)], ensure_ascii=False)


def warnings_of(model: ir.Model) -> tuple[LayerWarning, ...]:
    """The warnings that `model` carries, oldest first.

    Raises:
        TinsmithError: its metadata holds something else.
    """
    try:
        pairs = json.loads(model.metadata_props.get(WARNINGS, "[]"))
        return tuple(LayerWarning(str(layer), str(text)) for layer, text in pairs)
    except (ValueError, TypeError) as error:
        why = f"its metadata {WARNINGS!r} is no list of [layer, text]: {error}"
        fix = "make the file again with `tinsmith quantize`"
        raise TinsmithError("the model's warnings cannot be read", where="model", why=why, fix=fix) from error
