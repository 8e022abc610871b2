"""Constraints of operators that only move values."""

from __future__ import annotations

import numpy as np

from tinsmith.constraints.evaluate import onnx_slice
from tinsmith.constraints.view import NodeView


def shape_is_constant(node: NodeView) -> str | None:
    """The new shape does not depend on the input's values.

    Compute shapes from `x.shape`, which is known.
    """
    wrong = [node.proto.input[i] for i in node.activations() if i != 0]
    return f"{', '.join(map(repr, wrong))} is computed" if wrong else None


def joins_computed_values(node: NodeView) -> str | None:
    """Concat joins computed values only.

    Pad instead of joining with constants.
    """
    wrong = [name for i, name in enumerate(node.proto.input) if node.is_constant(i)]
    return f"{', '.join(map(repr, wrong))} is a constant" if wrong else None


def pads_with_zeros(node: NodeView) -> str | None:
    """Pad puts constant, non-negative amounts of zeros around the channels, height and width of an image.

    Reflection and other modes are not taken: use the padding of a convolution.
    """
    if node.attributes.get("mode", "constant") != "constant":
        return f"mode is {node.attributes['mode']!r}"
    value = node.constant(2)
    if value is not None and np.any(value != 0):
        return f"the value is {value.reshape(-1)[0]}"
    if any(i != 0 for i in node.activations()):
        return "an amount or the value is computed"
    shape = node.shape()
    pads = padding(node)
    if shape is None or pads is None:
        return None
    if len(shape) != 4:
        return f"its input has shape {list(shape)}"
    return f"pads is {list(pads)}" if any(p < 0 for p in pads) or pads[0] or pads[4] else None


def padding(node: NodeView) -> list[int] | None:
    """Amounts before every axis, then after every axis; None where unknown or where the number of axes does not fit."""
    shape, amounts, axes = node.shape(), node.ints("pads", 1), node.ints("axes", 3)
    if shape is None or amounts is None:
        return None
    rank = len(shape)
    axes = tuple(range(rank)) if axes is None else axes
    if len(amounts) != 2 * len(axes):
        return None
    pads = [0] * (2 * rank)
    for i, axis in enumerate(axes):
        pads[axis % rank] = amounts[i]
        pads[axis % rank + rank] = amounts[i + len(axes)]
    return pads


def slices_channels_or_every_nth_pixel(node: NodeView) -> str | None:
    """Slice of a (1, channels, height, width) value picks channels, or every n-th row and column from the first on.

    Crops are not taken: let the convolution before or after do them.
    """
    if any(i != 0 for i in node.activations()):
        return "a bound is computed"
    shape, picked = node.shape(), selection(node)
    if shape is None or picked is None:
        return None
    if len(shape) != 4:
        return f"its input has shape {list(shape)}"
    if picked.get(0, range(1)) != range(shape[0]):
        return "it cuts the batch"
    for axis in (2, 3):
        indices = picked.get(axis, range(shape[axis]))
        if list(indices) != list(range(0, shape[axis], max(indices.step, 1))):
            return f"axis {axis} of {shape[axis]} keeps {indices.start}:{indices.stop}:{indices.step}"
    return None


def selection(node: NodeView) -> dict[int, range] | None:
    """Kept indices of every sliced axis; None where they are not known."""
    shape, starts, ends = node.shape(), node.constant(1), node.constant(2)
    if shape is None or starts is None or ends is None:
        return None
    axes, steps = node.constant(3), node.constant(4)
    axis_list = range(len(starts)) if axes is None else [int(a) % len(shape) for a in axes]
    step_list = [1] * len(starts) if steps is None else [int(s) for s in steps]
    found = {}
    for axis, start, end, step in zip(axis_list, starts, ends, step_list, strict=True):
        found[axis] = range(*onnx_slice(int(start), int(end), step, shape[axis]).indices(shape[axis]))
    return found


def cast_keeps_the_type(node: NodeView) -> str | None:
    """Cast leaves float32 as it is.

    Feed float32, and drop casts to other types.
    """
    if node.op == "Cast":
        return None if node.attributes.get("to") == 1 else f"it makes type {node.attributes.get('to')}"
    like = node.graph.element_type(node.proto.input[1]) if not node.is_constant(1) else 0
    constant = node.constant(1)
    return None if like == 1 or (constant is not None and constant.dtype == np.float32) else "it makes another type"


def dropout_is_for_inference(node: NodeView) -> str | None:
    """Dropout is not in training mode and its mask is not used.

    Call `model.eval()` before the export.
    """
    training = node.constant(2)
    return "training_mode is true" if training is not None and bool(np.all(training)) else None
