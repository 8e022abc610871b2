"""The C signature of each kind of kernel: pointers in order, then int32 scalars. All kernels return int32_t 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

WRITTEN = ("y", "scratch")
"""Pointers that a kernel writes; every other one is const."""


@dataclass(frozen=True)
class Signature:
    """Pointers as (name, element type), and the names of the scalars behind them.

    Constants of a step have the names of the pointers by which they are passed, except that `w` is called "weight".
    """

    pointers: tuple[tuple[str, str], ...]
    scalars: tuple[str, ...] = ()


_REQUANT = ("shift", "y_zp", "lo", "hi")
_CONSTANTS = (("w", "int8"), ("bias", "int32"), ("multiplier", "int32"), ("y", "int8"), ("scratch", "int8"))
_WEIGHTED = Signature((("x", "int8"), *_CONSTANTS), ("x_zp", *_REQUANT))
_SUMMED = Signature((("x", "int8"), ("w", "int8"), ("bias", "int32"), ("y", "int32"), ("scratch", "int8")), ("x_zp",))
_SCALED = Signature((("x", "int8"), ("multiplier", "int32"), ("y", "int8")), ("x_zp", *_REQUANT))
_ADD = ("a_zp", "a_multiplier", "b_zp", "b_multiplier", *_REQUANT)
_PIECES = (("knee", "int32"), ("multiplier", "int32"), ("offset", "int32"))

SIGNATURES: Mapping[str, Signature] = MappingProxyType(
    {
        "conv": _WEIGHTED,
        "depthwise": _WEIGHTED,
        "matmul": _WEIGHTED,
        "shiftconv": _WEIGHTED,
        "conv16": _WEIGHTED,
        "shiftconv16": _WEIGHTED,
        "convsum": _SUMMED,
        "binaryconv": Signature((("x", "uint32"), *_CONSTANTS), _REQUANT),
        "averagepool": _SCALED,
        "requantize": _SCALED,
        "absolutesum": _SCALED,
        "maxpool": Signature((("x", "int8"), ("y", "int8"))),
        "binarymaxpool": Signature((("x", "uint32"), ("flip", "uint32"), ("y", "uint32"))),
        "add": Signature((("a", "int8"), ("b", "int8"), ("y", "int8")), _ADD),
        "binarize": Signature((("x", "int8"), ("limit", "int8"), ("flip", "uint32"), ("y", "uint32"))),
        "piecewiselinear": Signature((("x", "int8"), *_PIECES, ("y", "int8")), ("x_zp", *_REQUANT)),
        "table": Signature((("x", "int8"), ("results", "int8"), ("y", "int8"))),
        "multiply": Signature(
            (("a", "int8"), ("b", "int8"), ("bias", "int32"), ("multiplier", "int32"), ("y", "int8")),
            ("a_zp", "b_zp", *_REQUANT),
        ),
    }
)
"""By kind; kernels/base.py has the same as C."""


def pointers(kind: str, shape: Any) -> dict[str, str]:
    """Element types of the pointers by name; x and y as the shape says: `x_bits`, `y_bits`, or `packed` for bits."""
    types = dict(SIGNATURES[kind].pointers)
    types |= {name: "int16" for name in ("x", "y") if getattr(shape, f"{name}_bits", 8) == 16}
    return {**types, "y": "uint32"} if getattr(shape, "packed", False) else types
