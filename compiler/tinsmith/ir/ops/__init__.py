"""Every operator of the exact graph, by domain and name. A new operator is one file here and one line in the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import onnx_ir as ir

from tinsmith.ir.domain import DOMAIN
from tinsmith.ir.exact import Layer, Tensor, Weighted
from tinsmith.ir.ops import halves, rescale, shift_weight, threshold
from tinsmith.ir.ops.absolute_sum import AbsoluteSum
from tinsmith.ir.ops.add import Add
from tinsmith.ir.ops.arg_max import ArgMax
from tinsmith.ir.ops.average_pool import AveragePool
from tinsmith.ir.ops.base import Operator, function
from tinsmith.ir.ops.binarize import Binarize
from tinsmith.ir.ops.binary_conv import BinaryConv
from tinsmith.ir.ops.binary_matmul import BinaryMatMul
from tinsmith.ir.ops.binary_max_pool import BinaryMaxPool
from tinsmith.ir.ops.concat import Concat
from tinsmith.ir.ops.conv import Conv
from tinsmith.ir.ops.dequantize import Dequantize
from tinsmith.ir.ops.ending import FORMS, SHORT
from tinsmith.ir.ops.matmul import MatMul
from tinsmith.ir.ops.max_pool import MaxPool
from tinsmith.ir.ops.multiply import Multiply
from tinsmith.ir.ops.piecewise_linear import PiecewiseLinear
from tinsmith.ir.ops.quantize import Quantize
from tinsmith.ir.ops.requantize import Requantize
from tinsmith.ir.ops.reshape import Reshape
from tinsmith.ir.ops.shift_conv import ShiftConv
from tinsmith.ir.ops.shift_matmul import ShiftMatMul
from tinsmith.ir.ops.softmax import Softmax
from tinsmith.ir.ops.table import Table
from tinsmith.ir.ops.transpose import Transpose

_BY_REALS = (Conv, MatMul)
_BY_POWERS = (ShiftConv, ShiftMatMul)
_WIDTHS = (False, True)

_ALL: tuple[Operator[Any], ...] = (
    Quantize(),
    Dequantize(),
    *(operator(form, wide=wide) for operator in _BY_REALS for wide in _WIDTHS for form in FORMS),
    *(operator(form, wide=wide) for operator in _BY_POWERS for wide in _WIDTHS for form in SHORT),
    *(operator(form) for operator in (BinaryConv, BinaryMatMul, Multiply) for form in SHORT),
    Binarize(),
    BinaryMaxPool(),
    PiecewiseLinear(),
    AbsoluteSum(),
    Table(),
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

_OPERATOR_OF = {(op.record, op.ending, op.wide): op for op in _ALL}


def operator_of(layer: Layer, tensors: Mapping[str, Tensor]) -> Operator[Any]:
    """The operator that writes and reads a record: by its type, its ending and the bits that weights meet."""
    ending = getattr(layer, "ending", None)
    wide = isinstance(layer, Weighted) and tensors[layer.inputs[0]].bits == 16
    return _OPERATOR_OF[type(layer), type(ending) if ending is not None else None, wide]


_CALLED = {called.NAME: called.BODY for called in (halves, rescale, threshold, shift_weight)}
_BODIES = {**_CALLED, **{op.name: op.body for op in _ALL if op.body}}


def needed_functions(names: Iterable[str]) -> list[str]:
    """Names of the functions that nodes of these `ai.tinsmith` operators need: their own, behind those they call."""
    used = sorted(set(names) & set(_BODIES))
    called = [name for name in _CALLED if any(f"{DOMAIN}.{name} " in _BODIES[user] for user in used)]
    return [*called, *used]


def functions(names: Iterable[str]) -> list[ir.Function]:
    """Fresh functions of these names."""
    return [function(_BODIES[name]) for name in names]


@cache
def function_bytes(name: str) -> bytes:
    """What the function of this name is in a file."""
    data: bytes = ir.to_proto(function(_BODIES[name])).SerializeToString(deterministic=True)
    return data
