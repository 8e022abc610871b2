"""Reads BatchNormalization and arithmetic with a constant as `scale * x + shift`."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import onnx_ir as ir

from tinsmith.constraints.geometry import channel_axis
from tinsmith.passes.rewrite import Array, attributes_of, constant_of, input_of, shape_of


@dataclass(frozen=True)
class Affine:
    """scale * x + shift in float64, one number along `axis`, or one for all where `axis` is None."""

    x: ir.Value
    scale: Array
    shift: Array
    axis: int | None

    def varies_along(self, axis: int) -> bool:
        """Whether numbers along `axis` can express it."""
        return self.axis is None or self.axis == axis

    def vectors(self, size: int) -> tuple[Array, Array]:
        """Scale and shift, each of `size` numbers."""
        return np.broadcast_to(self.scale, (size,)), np.broadcast_to(self.shift, (size,))


def affine_of(node: ir.Node) -> Affine | None:
    """What `node` does as an affine map; None where it takes two computed values, or a number for each place.

    Args:
        node: BatchNormalization, Add, Sub, Mul or Div that the constraints let through.
    """
    if node.op_type == "BatchNormalization":
        return _normalization(node)
    where = [i for i in (0, 1) if constant_of(node, i) is not None]
    if len(where) != 1:
        return None
    (i,) = where
    x = input_of(node, 1 - i)
    constant = np.asarray(constant_of(node, i), np.float64)
    one, zero = np.ones(1), np.zeros(1)
    values = constant.reshape(-1)
    axis = axis_of(shape_of(x), constant.shape) if values.size > 1 else None
    if values.size > 1 and axis is None:
        return None
    scale, shift = {
        "Add": (one, values),
        "Sub": (one, -values) if i == 1 else (-one, values),
        "Mul": (values, zero),
        "Div": (1 / values if node.op_type == "Div" else one, zero),
    }[node.op_type]
    return Affine(x, scale, shift, axis)


def axis_of(shape: tuple[int, ...], constant: tuple[int, ...]) -> int | None:
    """The axis of a per-channel constant, which may be one number a column; None where it varies along several."""
    axis = channel_axis(shape, constant)
    if axis is None and prod(constant[:-1]) == 1 and constant[-1] == shape[-1]:
        return len(shape) - 1
    return axis


def _normalization(node: ir.Node) -> Affine:
    gamma, beta, mean, variance = (np.asarray(constant_of(node, i), np.float64) for i in (1, 2, 3, 4))
    scale = gamma / np.sqrt(variance + attributes_of(node).get("epsilon", 1e-5))
    return Affine(input_of(node), scale, beta - mean * scale, 1)
