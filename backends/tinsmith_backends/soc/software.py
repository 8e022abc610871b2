"""What the firmware does, as steps of the program: operators that a chip's elements do not have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tinsmith.ir.exact import (
    Add,
    ArgMax,
    BinaryMaxPool,
    Int32Array,
    Layer,
    MaxPool,
    PiecewiseLinear,
    Softmax,
    Table,
    Weighted,
)

from tinsmith_backends.soc.endings import Finish, rounding
from tinsmith_backends.soc.memory_map import SOFT_OPERATOR
from tinsmith_backends.soc.operations import Software, View
from tinsmith_backends.soc.weights import Weights
from tinsmith_backends.soc.windows import ONE_BY_ONE, Window


def convolution(
    layer: Layer, x: View, y: View, weight: Weights, ending: Finish, window: Window = ONE_BY_ONE
) -> Software:
    """Sums of products by weights (outputs, inputs of a group, kh, kw)."""
    outputs, depth, kh, kw = weight.shape
    rows = weight.transpose(0, 2, 3, 1).reshape(outputs, -1).astype(np.int8)
    words = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).view("<i4")
    table = np.column_stack([ending.bias, ending.multiplier, words]).astype(np.int32)
    fields = {"kh": kh, "kw": kw, **_geometry(window), "inputs": x.channels, "groups": x.channels // depth}
    fields |= {"in_signed": int(x.signed), "packed": int(y.bits == 1), **ending.fields}
    macs = y.height * y.width * y.channels * depth * kh * kw if isinstance(layer, Weighted) else 0
    return _step("CONV", layer, x, y, fields, table, macs=macs)


def max_pool(layer: MaxPool | BinaryMaxPool, x: View, y: View) -> Software:
    """Of bytes."""
    kh, kw = layer.kernel
    return _step("MAXPOOL", layer, x, y, {"kh": kh, "kw": kw, "in_signed": int(x.signed), **_geometry(vars(layer))})


def bit_pool(layer: BinaryMaxPool, x: View, y: View) -> Software:
    """Of bits: a table says of which channels it is the minimum."""
    kh, kw = layer.kernel
    least = np.packbits(np.broadcast_to(layer.sign < 0, (x.channels,)), bitorder="little").astype(np.int32)
    return _step("BITPOOL", layer, x.bytes, y.bytes, {"kh": kh, "kw": kw, **_geometry(vars(layer))}, least)


def add(layer: Add, a: View, b: View, y: View, numbers: dict[str, int]) -> Software:
    """Two multipliers; `numbers` has them and the rounding."""
    return replace(_step("ADD", layer, a, y, numbers), second=b)


def piecewise(layer: PiecewiseLinear, x: View, y: View) -> Software:
    """A table of knee, two multipliers and two offsets a channel."""
    columns = (layer.knee, layer.multiplier[0], layer.offset[0], layer.multiplier[1], layer.offset[1])
    table = np.stack([np.broadcast_to(column, (x.channels,)) for column in columns], axis=1).astype(np.int32)
    return _step("PIECEWISE", layer, x, y, {"in_signed": int(x.signed), **rounding(layer.rounding)}, table)


def table(layer: Table, x: View, y: View) -> Software:
    """A table of 256 bytes."""
    return _step("TABLE", layer, x, y, {}, layer.table.view("<i4"))


def softmax(layer: Softmax, x: View, y: View) -> Software:
    """A table of exponentials; the classes stand in rows."""
    return _step("SOFTMAX", layer, x, y, {"in_signed": int(x.signed), "in_h": x.width}, layer.table)


def arg_max(layer: ArgMax, x: View, y: View) -> Software:
    """The classes stand in rows."""
    return _step("ARGMAX", layer, x, y, {"in_signed": int(x.signed), "in_h": x.width, "channels": x.channels})


def _step(
    operator: str,
    layer: Layer,
    x: View,
    y: View,
    fields: dict[str, int],
    table: Int32Array | None = None,
    macs: int = 0,
) -> Software:
    values = {"operator": SOFT_OPERATOR[operator], "in_zero": x.zero & 0xFF, **fields}
    return Software(layer.name, x, None, y, values, np.zeros(0, np.int32) if table is None else table, macs=macs)


def _geometry(window: Any) -> dict[str, int]:
    (stride_y, stride_x), (top, left) = window["strides"], window["pads"][:2]
    dil_y, dil_x = window.get("dilations", (1, 1))
    names = ("stride_y", "stride_x", "pad_top", "pad_left", "dil_y", "dil_x")
    return dict(zip(names, (stride_y, stride_x, top, left, dil_y, dil_x), strict=True))
