"""The oracle: the exact graph in stock onnxruntime, which says what every tensor's bits are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tinsmith.errors import Problems

if TYPE_CHECKING:
    import onnx_ir as ir


class Oracle:
    """Runs an exact graph and gives every tensor between its layers.

    Graph optimizations are off, since they fuse operators into ones that form sums in floating point; one thread, so
    that a run costs the same everywhere.
    """

    def __init__(self, model: ir.Model | str | Path) -> None:
        """Open a session, once; `model` is an onnx_ir model (left unchanged) or a file."""
        import onnx_ir as ir
        import onnxruntime

        proto = ir.to_proto(ir.load(model) if isinstance(model, str | Path) else model)
        computed = {name for node in proto.graph.node for name in node.output}
        proto.graph.output.extend(value for value in proto.graph.value_info if value.name in computed)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {i.name: tuple(i.shape) for i in self._session.get_inputs()}
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, sample: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Every layer's output by tensor name, in ONNX layout, for one sample of float32 inputs by name.

        Raises:
            TinsmithError: an input is missing, unknown, not float32 or of another shape than the graph's.
        """
        problems = Problems()
        for name in sorted(self._inputs.keys() ^ sample.keys()):
            which = "is missing" if name in self._inputs else "is not one of the graph's"
            problems.add(which, where=f"input {name!r}", fix=f"the inputs are {', '.join(self._inputs)}")
        for name, shape in self._inputs.items():
            array = sample.get(name)
            if array is not None and (array.shape != shape or array.dtype != "float32"):
                problems.add(f"it is {array.dtype} {array.shape}, not float32 {shape}", where=f"input {name!r}")
        problems.check()
        values = self._session.run(self._outputs, dict(sample))
        return dict(zip(self._outputs, values, strict=True))
