"""Every operator of the exact graph, by domain and name. A new operator is one file here and one line in the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx_ir as ir

from tinsmith.ir.exact import Layer
from tinsmith.ir.ops import rescale
from tinsmith.ir.ops.add import Add
from tinsmith.ir.ops.arg_max import ArgMax
from tinsmith.ir.ops.average_pool import AveragePool
from tinsmith.ir.ops.base import Operator, function
from tinsmith.ir.ops.concat import Concat
from tinsmith.ir.ops.conv import Conv
from tinsmith.ir.ops.dequantize import Dequantize
from tinsmith.ir.ops.matmul import MatMul
from tinsmith.ir.ops.max_pool import MaxPool
from tinsmith.ir.ops.quantize import Quantize
from tinsmith.ir.ops.requantize import Requantize
from tinsmith.ir.ops.reshape import Reshape
from tinsmith.ir.ops.softmax import Softmax
from tinsmith.ir.ops.transpose import Transpose

_ALL: tuple[Operator[Any], ...] = (
    Quantize(),
    Dequantize(),
    Conv(),
    MatMul(),
    Add(),
    Requantize(),
    AveragePool(),
    MaxPool(),
    Concat(),
    Reshape(),
    Transpose(),
    Softmax(),
    ArgMax(),
)

OPERATORS: Mapping[tuple[str, str], Operator[Any]] = {(op.domain, op.name): op for op in _ALL}
"""Operators by (domain, name), as an ONNX node names them."""

OPERATOR_OF: Mapping[type[Layer], Operator[Any]] = {op.record: op for op in _ALL}
"""Operators by the record that they write and read."""


def functions() -> list[ir.Function]:
    """Fresh function bodies of every `ai.tinsmith` operator, and of `Rescale`, which they call."""
    return [function(rescale.BODY), *(function(op.body) for op in _ALL if op.body)]
