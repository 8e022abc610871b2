"""The operators that training leaves behind: floating point, with weights of 1 to 4 bits, until they are lowered.

Each is an ONNX function of the domain `ai.tinsmith.trained` whose body is made of standard operators, so that stock
onnxruntime runs the trained file. They stand in the stages IMPORTED, CANONICAL and QUANTIZED.
"""

from __future__ import annotations

import onnx_ir as ir

from tinsmith.ir.domain import TRAINED_DOMAIN, TRAINED_VERSION
from tinsmith.ir.ops.base import function
from tinsmith.ir.trained import binarize as _binarize
from tinsmith.ir.trained import binary_conv as _binary_conv
from tinsmith.ir.trained import binary_gemm as _binary_gemm
from tinsmith.ir.trained import scaled, shift_weight
from tinsmith.ir.trained import shift_conv as _shift_conv
from tinsmith.ir.trained import shift_gemm as _shift_gemm
from tinsmith.ir.trained.layer import CONVOLUTIONS, LAYERS, PRODUCTS, TrainedLayer, is_trained, read_layer

__all__ = ["CONVOLUTIONS", "LAYERS", "OPERATORS", "PRODUCTS", "TrainedLayer", "attach", "functions", "is_trained"]
__all__ += ["read_layer"]

_HELPERS = (scaled.BODY, shift_weight.BODY)
OPERATORS = {
    "Binarize": _binarize.BODY,
    "BinaryConv": _binary_conv.BODY,
    "BinaryGemm": _binary_gemm.BODY,
    "ShiftConv": _shift_conv.BODY,
    "ShiftGemm": _shift_gemm.BODY,
}
"""The function body of each operator, by name."""


def functions() -> list[ir.Function]:
    """Fresh function bodies of every operator, and of the functions that these call."""
    return [function(body, TRAINED_DOMAIN) for body in (*_HELPERS, *OPERATORS.values())]


def attach(model: ir.Model) -> None:
    """Give `model` the function bodies and the opset import that its trained operators need; none if it has none."""
    if not any(node.domain == TRAINED_DOMAIN for node in model.graph):
        return
    model.graph.opset_imports[TRAINED_DOMAIN] = TRAINED_VERSION
    for each in functions():
        model.functions[each.identifier()] = each
