"""How faithful each layer is to the float model: measured once when a model is quantized, kept in the exact graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tinsmith.ir.provenance import layer_name

if TYPE_CHECKING:
    import onnx_ir as ir

    from tinsmith.calibration_data import FloatArray
    from tinsmith.numerics.float_run import FloatRun

SQNR_DB = "tinsmith.sqnr_db"
"""Node metadata: signal-to-quantization-noise ratio of the layer's output, in dB."""
SAMPLES = 32
"""Calibration samples that the ratio is measured on: it is an average over every element, which soon settles."""


def note_fidelity(exact: ir.Model, floating: FloatRun, samples: Mapping[str, FloatArray]) -> None:
    """Measure every layer of `exact` against the float model and write the ratio into its node's metadata."""
    from tinsmith.ir.reader import read_exact
    from tinsmith.numerics.sqnr import layer_sqnr
    from tinsmith.verify.oracle import Oracle

    few = {name: array[:SAMPLES] for name, array in samples.items()}
    ratios = layer_sqnr(floating, read_exact(exact), Oracle(exact).run, few)
    for node in exact.graph:
        ratio = ratios.get(layer_name(node))
        if ratio is not None:
            node.metadata_props[SQNR_DB] = f"{ratio:.2f}"


def noted_fidelity(exact: ir.Model) -> dict[str, float]:
    """What `note_fidelity` wrote: dB by layer name, `inf` where a layer loses nothing."""
    props = {layer_name(node): node.metadata_props.get(SQNR_DB) for node in exact.graph}
    return {name: float(text) for name, text in props.items() if text is not None}
