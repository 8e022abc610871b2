"""What operators with weights share: windows, bias, and the ending behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.exact import BinaryConv, Conv, ShiftConv, Weighted
from tinsmith.ir.ops.base import ReadContext, WriteContext
from tinsmith.ir.ops.ending import EndedOperator, ending_attributes, ending_constants

Windowed = Conv | BinaryConv | ShiftConv


def weighted_node(
    operator: EndedOperator[Any],
    layer: Weighted,
    context: WriteContext,
    stored: npt.NDArray[Any],
    attributes: Mapping[str, ir.Attr],
) -> ir.Node:
    """The node; constants are the stored weight, bias (O,) and, where the ending has one, multiplier or limit (O,)."""
    constants = {"weight": stored, "bias": layer.bias, **ending_constants(operator.form, layer.ending)}
    ending = ending_attributes(layer.ending, context.tensors[layer.output])
    return context.node(operator, layer, constants, {**attributes, **ending})


def read_bias_and_ending(operator: EndedOperator[Any], context: ReadContext, channels: int) -> dict[str, Any]:
    """The fields `bias` and `ending` of a node whose inputs are (x, w, bias), and the vector that its ending reads."""
    names = ["bias", *([operator.form.vector] if operator.form.vector else [])]
    vectors = [context.constant(index, "int32", 1) for index in range(2, 2 + len(names))]
    if any(vector.shape != (channels,) for vector in vectors):
        raise context.fail(f"{' and '.join(names)} need one number for each of {channels} channels")
    return {"bias": vectors[0], "ending": operator.read_ending(context, vectors[-1])}


def window_attributes(layer: Windowed) -> dict[str, ir.Attr]:
    """The attributes by which a convolution states its window."""
    return {
        "strides": ir.AttrInt64s("strides", layer.strides),
        "pads": ir.AttrInt64s("pads", layer.pads),
        "dilations": ir.AttrInt64s("dilations", layer.dilations),
    }


def read_window(context: ReadContext) -> dict[str, Any]:
    """The fields `strides`, `pads` and `dilations` of a convolution."""
    return {"strides": context.pair("strides"), "pads": context.pads(), "dilations": context.pair("dilations")}


def read_group(context: ReadContext, shape: tuple[int, ...]) -> int:
    """The attribute `group` of a convolution whose weight has `shape` (O, I / group, kh, kw)."""
    group = context.integer("group")
    if group < 1 or shape[0] % group or not np.all(np.array(shape)):
        raise context.fail(f"a weight of shape {shape} does not go with {group} groups")
    return group
