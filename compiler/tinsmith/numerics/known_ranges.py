"""Ranges that follow from a model alone, without samples: from its bits, its given grids and its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir.bits import is_bit
from tinsmith.ir.trained import is_trained, read_layer
from tinsmith.numerics.calibrators import RealRange
from tinsmith.numerics.curves import range_of
from tinsmith.numerics.given import dequantized_grid, given_grid
from tinsmith.numerics.groups import Group, data_inputs
from tinsmith.numerics.roles import role

_TINY = 2.0**-50
"""The step of an input that is compared with 0."""
_ABOVE, _BELOW = 127.5, -126.5
"""Steps at which a positive and a negative threshold lie: in the middle below an even number, to which a tie rounds."""


def known_ranges(model: ir.Model, groups: Sequence[Group]) -> dict[ir.Value, RealRange]:
    """The range of each model input and layer output that is bounded by what the model says.

    Bits are ±1, a given grid has ends, an input that is only compared with a threshold may saturate, and a layer's sums
    are bounded by its weights: a range that holds, and may be much wider than what samples would show.
    """
    found = {value: ends for value in model.graph.inputs if (ends := _compared(value)) is not None}
    for group in groups:
        grid = given_grid(group.output)
        if grid is not None:
            found[group.output] = grid.limits
            continue
        inputs = [_range(value, found) for value in data_inputs(group.head)]
        known = [x for x in inputs if x is not None]
        if len(known) < len(inputs):
            continue
        if role(group.head) == "weighted":
            found[group.output] = _clipped(_sums(group.head, known[0]), group.nodes[1:])
        elif role(group.head) == "curve":
            curve = model.functions[group.head.op_identifier()]
            found[group.output] = _clipped(range_of(curve, known[0]), group.nodes[1:])
        elif group.moves:
            found[group.output] = min(x[0] for x in known), max(x[1] for x in known)
    return found


def _compared(value: ir.Value) -> RealRange | None:
    """A range for a model input that is only compared with one threshold, in whose grid it decides as the real does.

    None where something else reads the input, or thresholds differ. What is compared with 0 saturates at tiny values;
    all that is below 0 by more than half a step is below.
    """
    grid = given_grid(value)
    if grid is not None:
        return grid.limits
    found = _thresholds(value)
    if found is None or len(found) != 1:
        return None
    (limit,) = found
    if limit > 0:
        return 0.0, 255 * _step(limit, _ABOVE)
    step = _step(limit, _BELOW) if limit else _TINY
    return -128 * step, 127 * step


def _step(limit: float, place: float) -> float:
    """The binary32 step that brings `limit` to `place` steps, or above it by as little as there is."""
    step = np.float32(limit / place)
    while np.float32(limit) / step < np.float32(place):
        step = np.nextafter(step, np.float32(0 if place > 0 else np.inf))
    return float(step)


def _thresholds(value: ir.Value) -> set[float] | None:
    """What all readers, behind moves too, compare `value` with; None where one does something else."""
    found: set[float] = set()
    for use in value.uses():
        if is_trained(use.node, "Binarize"):
            found.update(np.unique(_constant(use.node, 1)).tolist())
            continue
        behind = _thresholds(use.node.outputs[0]) if role(use.node) == "move" else None
        if behind is None:
            return None
        found |= behind
    return None if value.is_graph_output() else found


def _range(value: ir.Value, found: Mapping[ir.Value, RealRange]) -> RealRange | None:
    if is_bit(value):
        return -1.0, 1.0
    grid = dequantized_grid(value)
    return found.get(value) if grid is None else grid.limits


def _sums(head: ir.Node, x: RealRange) -> RealRange:
    """Smallest and largest result of a layer whose inputs, and padding, lie in `x`."""
    weight, bias = _weights(head)
    lo, hi = min(x[0], 0.0), max(x[1], 0.0)
    positive, negative = np.maximum(weight, 0).sum(axis=1), np.minimum(weight, 0).sum(axis=1)
    low, high = positive * lo + negative * hi + bias, positive * hi + negative * lo + bias
    return float(low.min()), float(high.max())


def _weights(head: ir.Node) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Real weights (channels, …) in one row a channel, and biases."""
    if is_trained(head):
        layer = read_layer(head)
        weight, scale, bias = layer.weight.astype(np.float64), layer.scale.astype(np.float64), layer.bias
    else:
        weight, bias = _constant(head, 1).astype(np.float64), _constant(head, 2).reshape(-1)
        scale = np.ones(bias.size)
    rows = weight.T if head.op_type.endswith("Gemm") else weight
    return rows.reshape(len(rows), -1) * scale[:, None], bias.astype(np.float64)


def _constant(node: ir.Node, i: int) -> npt.NDArray[Any]:
    value = node.inputs[i]
    if value is None or value.const_value is None:
        raise ValueError(f"input {i} of {node.op_type} {node.name!r} is not constant")
    return value.const_value.numpy()


def _clipped(x: RealRange, nodes: Sequence[ir.Node]) -> RealRange:
    for node in nodes:
        if node.op_type == "Relu":
            x = max(x[0], 0.0), max(x[1], 0.0)
        elif node.op_type == "Clip":
            lo, hi = (float(_constant(node, i)) for i in (1, 2))
            x = min(max(x[0], lo), hi), min(max(x[1], lo), hi)
    return x
