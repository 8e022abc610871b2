"""Constraints of matrix products, normalization and element-wise operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinsmith.constraints.evaluate import Array
from tinsmith.constraints.geometry import channel_axis
from tinsmith.constraints.view import NodeView


def product_is_by_a_constant_matrix(node: NodeView) -> str | None:
    """A matrix product is of a computed value, on the left, by a constant matrix, on the right.

    Products of two computed values (attention) are not taken; a constant on the left can be transposed to the right.
    """
    left, right = node.shape(0), node.shape(1)
    if node.is_constant(0) or not node.is_constant(1):
        name = node.proto.input[0 if node.is_constant(0) else 1]
        return f"{name!r} is on the wrong side" if node.is_constant(0) else f"{name!r} is not a constant"
    if right is not None and len(right) != 2:
        return f"the constant has shape {list(right)}"
    return f"the left side has shape {list(left)}" if left is not None and len(left) < 2 else None


def left_side_is_not_transposed(node: NodeView) -> str | None:
    """transA is 0.

    Transpose the value before the product.
    """
    return "transA is 1" if node.attributes.get("transA", 0) else None


def bias_is_per_column(node: NodeView) -> str | None:
    """The bias of a matrix product is a constant with one number, or one number a column.

    Give every row the same bias.
    """
    if not node.has(2):
        return None
    bias, out = node.constant(2), node.output_shape()
    if bias is None:
        return f"{node.proto.input[2]!r} is not a constant"
    fits = out is None or bias.size == 1 or (bias.size == out[-1] and bias.shape[-1] == out[-1])
    return None if fits else f"the bias has shape {list(bias.shape)}, the output {list(out or ())}"


def normalization_is_for_inference(node: NodeView) -> str | None:
    """BatchNormalization has constant statistics and is not in training mode.

    Call `model.eval()` before the export.
    """
    if node.attributes.get("training_mode", 0):
        return "training_mode is 1"
    wrong = [node.proto.input[i] for i in node.activations() if i != 0]
    return f"{', '.join(map(repr, wrong))} is not a constant" if wrong else None


def normalization_has_channels(node: NodeView) -> str | None:
    """BatchNormalization's input is (1, channels, …).

    Run the model with batch 1.
    """
    shape = node.shape()
    bad = shape is not None and (len(shape) < 2 or shape[0] != 1)
    return f"its input has shape {list(shape or ())}" if bad else None


def variance_is_positive(node: NodeView) -> str | None:
    """BatchNormalization's variances, plus epsilon, are above 0.

    The statistics are damaged, or the layer never saw data: train it again.
    """
    variance = node.constant(4)
    if variance is None:
        return None
    bad = int(np.count_nonzero(variance + node.attributes.get("epsilon", 1e-5) <= 0))
    return f"{bad} of the {variance.size} variances are not" if bad else None


def operands_have_one_shape(node: NodeView) -> str | None:
    """Two computed values that are added have the same shape; nothing is broadcast.

    Expand the smaller one in the model, or make it a constant.
    """
    if len(node.activations()) < 2:
        return None
    a, b = node.shape(0), node.shape(1)
    return f"{list(a)} and {list(b)}" if a is not None and b is not None and a != b else None


def one_operand_is_constant(node: NodeView) -> str | None:
    """Sub and Div have one operand that is a constant (Div: the divisor).

    Multiply by -1 and add, or multiply by a value that is computed without a division.
    """
    if len(node.activations()) > 1:
        return "both operands are computed"
    return "the divisor is computed" if node.op == "Div" and node.is_constant(0) else None


def factor_broadcasts_to_the_other(node: NodeView) -> str | None:
    """One factor has the shape of the product; the other is broadcast to it.

    Expand one of them in the model.
    """
    a, b, y = node.shape(0), node.shape(1), node.output_shape()
    if a is None or b is None or y is None:
        return None
    fits = any(shape == y and not node.is_constant(i) for i, shape in ((0, a), (1, b)))
    return None if fits else f"{list(a)} and {list(b)}"


def slope_is_per_channel(node: NodeView) -> str | None:
    """PRelu's slope is a constant: one number, or one number a channel.

    Use `nn.PReLU(channels)`.
    """
    slope, shape = node.constant(1), node.shape()
    if slope is None:
        return f"{node.proto.input[1]!r} is not a constant"
    if shape is None or channel_axis(shape, slope.shape) is not None:
        return None
    column = slope.shape[-1:] == shape[-1:] and slope.size == shape[-1]
    return None if column else f"the slope has shape {list(slope.shape)}, the input {list(shape)}"


def makes_one_value_of_one(node: NodeView) -> str | None:
    """A curve computes one value from one other, element by element; its other operands are single constants.

    Bring both operands from one value, of one shape, or make the other a number.
    """
    return None if node.is_in_a_curve else "several values meet, or shapes differ"


def magnitudes_are_averaged(node: NodeView) -> str | None:
    """Abs stands where ReduceMean, keeping the axes, makes one scale of its result (XNOR-Net).

    Elsewhere it is taken as a part of a curve: beside an operator that makes a table.
    """
    if node.is_output():
        return "its result is an output"
    found = [
        reader for reader in node.readers() if reader.op != "ReduceMean" or not reader.attributes.get("keepdims", 1)
    ]
    return f"{found[0].label} reads it" if found else None


def divisor_is_not_zero(node: NodeView) -> str | None:
    """No element of a constant divisor is 0.

    Look for a standard deviation of 0 in a normalization.
    """
    divisor = node.constant(1)
    return "a divisor is 0" if node.op == "Div" and divisor is not None and np.any(divisor == 0) else None


def constant_is_per_channel(node: NodeView) -> str | None:
    """A constant that is added is one number, or one number a channel or a column.

    Constants that vary over height or width (position tables) are not taken.
    """
    where = [i for i in (0, 1) if node.is_constant(i)]
    if len(where) != 1:
        return None
    constant, shape = node.shape(where[0]) or (), node.shape(1 - where[0])
    if shape is None or channel_axis(shape, constant) is not None:
        return None
    if constant[-1:] == shape[-1:] and all(size == 1 for size in constant[:-1]):
        return None
    return f"the constant has shape {list(constant)}, the other operand {list(shape)}"


def bounds_are_constant(node: NodeView) -> str | None:
    """Clip's bounds are single constants, the lower not above the upper.

    Use `torch.clamp` with numbers.
    """
    if any(i != 0 for i in node.activations()):
        return "a bound is computed"
    lo, hi = clip_bounds(node.attributes, node.constant(1), node.constant(2))
    if any(b is not None and np.size(b) != 1 for b in (lo, hi)):
        return "a bound has several elements"
    if lo is None or hi is None or lo.item() <= hi.item():
        return None
    return f"min {lo.item()} > max {hi.item()}"


def clip_bounds(attributes: Mapping[str, Any], lo: Array | None, hi: Array | None) -> tuple[Array | None, Array | None]:
    """Clip's bounds, which stood in attributes before opset 11."""
    from_attribute = {k: np.asarray(attributes[k], np.float32) for k in ("min", "max") if k in attributes}
    return from_attribute.get("min", lo), from_attribute.get("max", hi)
