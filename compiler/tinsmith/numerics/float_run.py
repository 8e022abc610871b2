"""Runs a float model in onnxruntime with chosen values exposed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.calibration_data import FloatArray, iterate


class FloatRun:
    """A model as it stands now, ready to run; later changes of the `ir.Model` do not touch it."""

    def __init__(self, model: ir.Model, values: Sequence[str] | None = None) -> None:
        """Prepare to compute `values` (names; default: the inputs and every value that a node makes)."""
        import onnxruntime as ort

        self._inputs = [value.name or "" for value in model.graph.inputs]
        made = {out.name: out for node in model.graph for out in node.outputs if out.name}
        self.values = [*self._inputs, *made] if values is None else list(values)
        computed = [name for name in self.values if name not in self._inputs]
        proto = ir.to_proto(model)
        outputs = {output.name for output in proto.graph.output}
        proto.graph.output.extend(
            ir.serde.serialize_value(made[name]) for name in dict.fromkeys(computed) if name not in outputs
        )
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        # Else a layer between two pairs of a model that brings its grids along is computed with 8-bit weights.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self._computed = computed
        self._session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(self, sample: Mapping[str, FloatArray]) -> dict[str, npt.NDArray[Any]]:
        """The chosen values for one sample (inputs of batch 1), by name."""
        found: dict[str, npt.NDArray[Any]] = {name: np.asarray(sample[name]) for name in self._inputs}
        arrays = self._session.run(self._computed, dict(sample)) if self._computed else []
        found |= dict(zip(self._computed, arrays, strict=True))
        return {name: found[name] for name in self.values}

    def run_all(self, samples: Mapping[str, FloatArray]) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """`run` for each sample; nothing is kept."""
        return (self.run(sample) for sample in iterate(samples))
