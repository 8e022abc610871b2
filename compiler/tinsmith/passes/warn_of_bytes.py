"""Warns of layers that stayed 8 bit in a network of which others have fewer bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.ir.reader import read_exact
from tinsmith.ir.stages import Stage
from tinsmith.ir.warnings import LayerWarning, warn, warnings_of
from tinsmith.passes.base import Pass

_TRAINED = (exact.BinaryConv, exact.BinaryMatMul, exact.ShiftConv, exact.ShiftMatMul)


class WarnOfBytes(Pass):
    """Says of each such layer why, in the model's warnings; a network without trained layers has nothing to say."""

    name: ClassVar[str] = "warn_of_bytes"
    requires: ClassVar[Stage] = Stage.EXACT
    ensures: ClassVar[Stage] = Stage.EXACT

    def run(self, model: ir.Model) -> bool:
        """Add the warnings; returns whether there are new ones."""
        before = warnings_of(model)
        for found in stayed_8_bit(read_exact(model)):
            warn(model, found.layer, found.text)
        return warnings_of(model) != before


def stayed_8_bit(graph: exact.ExactGraph) -> Iterator[LayerWarning]:
    """One warning for each layer of 8-bit weights, and for bits that are kept as bytes too."""
    if not any(isinstance(layer, _TRAINED) for layer in graph.layers):
        return
    for layer in graph.layers:
        if isinstance(layer, exact.Conv | exact.MatMul):
            yield LayerWarning(layer.name, "its weights stay 8 bit: training left them real-valued")
        elif isinstance(layer, exact.PiecewiseLinear) and layer.name.endswith("/8bit"):
            readers = ", ".join(each.name for each in graph.layers if layer.output in each.inputs)
            yield LayerWarning(layer.name, f"its bits are kept as bytes too: {readers} reads them as numbers")
