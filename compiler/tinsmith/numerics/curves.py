"""Functions of one value in double precision: what tables of results are made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx_ir as ir

from tinsmith.ir.exact import Int8Array, Tensor, UInt8Array
from tinsmith.numerics.calibrators import RealRange
from tinsmith.numerics.thresholds import Reals

_FAR = 1e6
"""Further away from 0 than values of a network are."""
_ERF = np.vectorize(math.erf, otypes=[np.float64])
_SELU = (1.6732632423543772848170429916717, 1.0507009873554804934193349852946)

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "Abs": np.abs,
    "Add": np.add,
    "Cast": lambda x, **_: np.asarray(x, np.float64),
    "Celu": lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0),
    "Clip": lambda x, lo=None, hi=None: np.clip(x, lo, hi) if lo is not None or hi is not None else x,
    "Div": np.divide,
    "Elu": lambda x, alpha=1.0: np.where(x < 0, alpha * np.expm1(x), x),
    "Erf": _ERF,
    "Exp": np.exp,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: np.clip(alpha * x + beta, 0, 1),
    "HardSwish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Identity": np.positive,
    "LeakyRelu": lambda x, alpha=0.01: np.where(x < 0, alpha * x, x),
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": np.log,
    "Max": lambda *xs: np.max(np.broadcast_arrays(*xs), axis=0),
    "Min": lambda *xs: np.min(np.broadcast_arrays(*xs), axis=0),
    "Mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "Mul": np.multiply,
    "Neg": np.negative,
    "PRelu": lambda x, slope: np.where(x < 0, slope * x, x),
    "Pow": np.power,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, 0),
    "Selu": lambda x, alpha=_SELU[0], gamma=_SELU[1]: gamma * np.where(x > 0, x, alpha * np.expm1(x)),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Sign": np.sign,
    "Softplus": lambda x: np.logaddexp(0, x),
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Sum": lambda *xs: np.sum(np.broadcast_arrays(*xs), axis=0),
    "Tanh": np.tanh,
    "ThresholdedRelu": lambda x, alpha=1.0: np.where(x > alpha, x, 0),
    "Where": np.where,
}
"""ONNX's element-wise operators in numpy; keywords are attributes."""


def evaluate(function: ir.Function, x: Reals) -> Reals:
    """`function`, whose body holds nodes of FUNCTIONS and Constant, of every element of `x`, in double precision."""
    values: dict[ir.Value, Any] = {function.inputs[0]: np.asarray(x, np.float64)}
    with np.errstate(all="ignore"):  # who asks looks for results that are no numbers
        for node in function:
            attributes = {name: attribute.value for name, attribute in node.attributes.items()}
            if node.op_type == "Constant":
                values[node.outputs[0]] = np.asarray(attributes["value"].numpy(), np.float64)
                continue
            given = [values[value] if value is not None else None for value in node.inputs]
            values[node.outputs[0]] = FUNCTIONS[node.op_type](*given, **attributes)
    return np.broadcast_to(np.asarray(values[function.outputs[0]], np.float64), np.shape(x))


def range_of(function: ir.Function, x: RealRange) -> RealRange:
    """Least and largest of 256 results over the range of `x`."""
    results = evaluate(function, np.linspace(*x, 256))
    return float(np.nanmin(results)), float(np.nanmax(results))


def is_never_negative(function: ir.Function) -> bool:
    """Whether no result is below 0, as far as 4,000 values of all magnitudes show."""
    sizes = np.geomspace(1e-4, _FAR, 2000)
    results = evaluate(function, np.concatenate([-sizes, sizes]))
    return bool((np.nan_to_num(results) >= 0).all())


def results_of(function: ir.Function, x: Tensor, y: Tensor, lo: int, hi: int) -> Int8Array | UInt8Array:
    """(256,) stored results for every stored byte of `x`, halves rounded up, clamped to [lo, hi].

    Raises:
        ArithmeticError: the result for a value that `x` can have is no number; the message has the value.
    """
    stored = np.arange(256, dtype=np.uint8).view(x.dtype).astype(np.int64)
    real: Reals = (stored - x.zero_point) * np.float64(x.scale)
    found = evaluate(function, real)
    wrong = np.isnan(found) & (stored >= x.lo) & (stored <= x.hi)
    if wrong.any():
        raise ArithmeticError(f"{real[wrong][0]:g}")
    steps = np.floor(np.nan_to_num(found, posinf=np.inf, neginf=-np.inf) / y.scale + 0.5) + y.zero_point
    table: Int8Array | UInt8Array = np.clip(steps, lo, hi).astype(y.dtype)
    return table
