"""QONNX files for tests, node by node, and what their quantizers compute, in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]
DOMAIN = "qonnx.custom_op.general"
F32 = np.float32


class Qonnx:
    """A QONNX model under construction; every method adds one node and returns the name of what it makes."""

    def __init__(self, domain: str = DOMAIN) -> None:
        self.domain = domain
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Array] = {}

    def constant(self, array: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def op(self, kind: str, *inputs: str | Array, domain: str = "", output: str = "", **attributes: Any) -> str:
        """Arrays among `inputs` become initializers."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, names, [output], f"{kind}_{len(self.nodes)}", domain=domain, **attributes)
        )
        return output

    def quant(self, x: str | Array, scale: Any, bits: float = 8, *, op: str = "Quant", zero: Any = 0, **kw: Any) -> str:
        """Attributes: signed, narrow, rounding_mode."""
        attributes = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"} | kw
        return self.op(op, x, F32(scale), F32(zero), F32(bits), domain=self.domain, **attributes)

    def bipolar(self, x: str | Array, scale: Any = 1.0) -> str:
        return self.op("BipolarQuant", x, F32(scale), domain=self.domain)

    def model(
        self, x: tuple[int, ...], output: str, *, opset: int = 17, constants_are_inputs: bool = False
    ) -> onnx.ModelProto:
        """The model, with one float input `x`."""
        inputs = {"x": x} | ({n: a.shape for n, a in self.constants.items()} if constants_are_inputs else {})
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        domains = [helper.make_opsetid("", opset), helper.make_opsetid(self.domain, 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=8)


def quantized(x: Array, scale: Any, bits: int, *, signed: bool = True, narrow: bool = False) -> Array:
    """What Quant gives for `x` (QONNX's definition, rounding mode ROUND), with scale and zero point 0."""
    scale = F32(scale)
    if bits == 1 and signed:
        return np.where(x / scale >= 0, F32(1), F32(-1)) * scale
    if signed:
        lo, hi = -(2 ** (bits - 1)) + int(narrow), 2 ** (bits - 1) - 1
    else:
        lo, hi = 0, 2**bits - 1 - int(narrow)
    return (np.round(np.clip(x / scale, lo, hi)).astype(F32) * scale).astype(F32)


def given(model: onnx.ModelProto) -> Mapping[str, Array]:
    """The initializers by name."""
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
