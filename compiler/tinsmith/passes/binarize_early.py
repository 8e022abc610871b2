"""Makes bits as early as they are known: Binarize takes in scales, shifts and clips, and pools wait for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import onnx_ir as ir

from tinsmith.errors import Problems
from tinsmith.ir.bits import flips_signs
from tinsmith.ir.provenance import inherit, layer_name, source
from tinsmith.ir.stages import Stage
from tinsmith.ir.trained import is_trained
from tinsmith.ir.trained.binarize import binarize
from tinsmith.passes import rewrite
from tinsmith.passes.affine import Affine, affine_of, axis_of
from tinsmith.passes.base import Pass
from tinsmith.passes.clip_bounds import LARGEST, bounds_of
from tinsmith.passes.linear import is_linear
from tinsmith.passes.rewrite import Array, add_constant, along, constant_of, input_of, new_node, only_consumer, shape_of

_REARRANGING = ("Reshape", "Transpose")
_MOVERS = ("MaxPool", *_REARRANGING)
_AFFINE = ("BatchNormalization", "Add", "Sub", "Mul", "Div")


@dataclass(frozen=True)
class _Decision:
    """sign * x >= threshold, both float64, one number along `axis`, or one for all where it is None.

    A threshold of ±inf makes a constant bit.
    """

    x: ir.Value
    sign: Array
    threshold: Array
    axis: int | None


@dataclass(frozen=True)
class _Later:
    """A node that will move bits instead of values; a pool with `sign` before it and behind it is a minimum at -1."""

    node: ir.Node
    sign: Array
    axis: int | None


class BinarizeEarly(Pass):
    """sign(BatchNormalization(MaxPool(x))) becomes MaxPool(Binarize(x)), and whatever else stands between.

    x >= t decides the same before and behind a step that never decreases, with another t. A negative factor is a
    Mul by ±1, which the layer before takes in; around a pool, Mul by ±1 on both sides makes the channel's minimum.
    """

    name = "binarize-early"
    requires = Stage.IMPORTED
    ensures = Stage.IMPORTED

    def run(self, model: ir.Model) -> bool:
        """Move every Binarize; returns whether any moved.

        Raises:
            TinsmithError: bits that a clip in front makes constant.
        """
        problems = Problems()
        moved = [_move(n, model.graph, problems) for n in list(model.graph) if is_trained(n, "Binarize")]
        problems.check()
        return any(moved)


def _move(node: ir.Node, graph: ir.Graph, problems: Problems) -> bool:
    decision, taken = _first(node), [node]
    later: list[_Later] = []
    below = None  # the lowest Reshape or Transpose: what was known before it
    while (step := _step(decision, taken[-1])) is not None:
        producer = decision.x.producer()
        assert producer is not None
        if producer.op_type in _REARRANGING and below is None:
            below = decision, len(taken), len(later)
        taken.append(producer)
        if producer.op_type in _MOVERS:
            pool = producer.op_type == "MaxPool"
            later.append(_Later(producer, decision.sign if pool else np.ones(1), decision.axis if pool else None))
        decision = step
    if below is not None and not _ends_in_bits(decision.x.producer()):
        decision, taken, later = below[0], taken[: below[1]], later[: below[2]]
    if all(flips_signs(n) for n in taken[1:]):
        return False
    if np.isinf(decision.threshold).all():
        value = "+1" if decision.threshold.max() < 0 else "-1"
        where = f"Binarize {layer_name(node)!r} ({source(node)})"
        why = f"what stands in front of it ({', '.join(n.op_type for n in taken[1:])}) never passes its threshold"
        problems.add(f"it is always {value}", where=where, why=why, fix="binarize the value before its activation")
        return False
    _rebuild(graph, decision, taken, later)
    return True


def _ends_in_bits(node: ir.Node | None) -> bool:
    """Whether `node` can make bits itself; else it is as well to rearrange its values, which packs bits densely."""
    return node is not None and (is_linear(node) or (node.op_type == "Mul" and affine_of(node) is None))


def _first(node: ir.Node) -> _Decision:
    """What a Binarize decides, with factors of ±1 in front of it left for `_step`."""
    threshold = constant_of(node, 1)
    if threshold is None:
        raise ValueError(f"the threshold of {node.name!r} is not constant")
    axis = axis_of(shape_of(input_of(node)), threshold.shape) if threshold.size > 1 else None
    values = threshold.astype(np.float64).reshape(-1)
    return _Decision(input_of(node), np.ones_like(values), values, axis)


def _step(decision: _Decision, reader: ir.Node) -> _Decision | None:
    """The decision about the input of what makes x, which only `reader` reads; None where x has to be computed."""
    node = decision.x.producer()
    if node is None or only_consumer(decision.x) is not reader or node.domain:
        return None
    if node.op_type in _AFFINE:
        affine = affine_of(node)
        return None if affine is None else _behind_affine(decision, affine)
    if node.op_type in ("Relu", "Clip"):
        return _behind_clip(decision, node)
    return _behind_move(decision, node) if node.op_type in _MOVERS else None


def _behind_move(decision: _Decision, node: ir.Node) -> _Decision | None:
    """A pool keeps channels; a Reshape keeps them where they are the last axis before and behind it."""
    x = input_of(node)
    if decision.axis is None or (node.op_type == "MaxPool" and decision.axis == 1):
        return replace(decision, x=x)
    before, behind = shape_of(x), shape_of(node.outputs[0])
    if node.op_type == "Reshape" and decision.axis == len(behind) - 1 and before[-1] == behind[-1]:
        return replace(decision, x=x, axis=len(before) - 1)
    return None


def _behind_affine(decision: _Decision, affine: Affine) -> _Decision | None:
    """sign * (a * z + c) >= t is sign * a / |a| * z >= (t - sign * c) / |a|; where a is 0 it is constant."""
    axes = {axis for axis in (decision.axis, affine.axis) if axis is not None}
    if len(axes) > 1:
        return None
    sign, threshold, scale, shift = np.broadcast_arrays(decision.sign, decision.threshold, affine.scale, affine.shift)
    left = threshold - sign * shift
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(scale == 0, np.where(left <= 0, -np.inf, np.inf), left / np.abs(scale))
    return _Decision(affine.x, np.where(scale < 0, -sign, sign), moved, axes.pop() if axes else None)


def _behind_clip(decision: _Decision, node: ir.Node) -> _Decision:
    """Between the bounds a clip changes nothing; a threshold that lies outside makes the bit constant."""
    lo, hi = bounds_of(node)
    low = np.where(decision.sign > 0, lo, -hi)
    high = np.where(decision.sign > 0, hi, -lo)
    threshold = np.where(decision.threshold <= low, -np.inf, decision.threshold)
    return replace(decision, x=input_of(node), threshold=np.where(decision.threshold > high, np.inf, threshold))


def _rebuild(graph: ir.Graph, decision: _Decision, taken: list[ir.Node], later: list[_Later]) -> None:
    """[Mul by ±1,] Binarize and what moves bits, in place of `taken`, whose first is the old Binarize."""
    old, name = taken[0], layer_name(taken[0])
    shape = shape_of(decision.x)
    rest = [n for n in taken if n not in [each.node for each in later]]
    new = _flip(graph, decision.x, decision.sign, decision.axis, rest, "sign")
    x = new[-1].outputs[0] if new else decision.x
    threshold = np.clip(decision.threshold, -LARGEST, LARGEST)
    constant = add_constant(graph, f"{name}.threshold", along(threshold, len(shape), decision.axis))
    bits = binarize(x, constant)
    inherit(bits, *rest)
    new.append(bits)
    for moved in reversed(later):
        new += _moved(graph, new[-1].outputs[0], moved)
    rewrite.replace(old, new)
    for node in taken[1:]:
        graph.remove(node, safe=True)


def _moved(graph: ir.Graph, x: ir.Value, later: _Later) -> list[ir.Node]:
    node = later.node
    before = _flip(graph, x, later.sign, later.axis, [node], "sign")
    inputs = [before[-1].outputs[0] if before else x, *[input_of(node, i) for i in range(1, len(node.inputs))]]
    attributes = {key: attribute.value for key, attribute in node.attributes.items()}
    again = new_node(node.op_type, inputs, shape_of(node.outputs[0]), [node], attributes)
    return [*before, again, *_flip(graph, again.outputs[0], later.sign, later.axis, [node], "sign_back")]


def _flip(graph: ir.Graph, x: ir.Value, sign: Array, axis: int | None, old: list[ir.Node], part: str) -> list[ir.Node]:
    """Mul by `sign`, unless it is 1 everywhere."""
    if sign.min() > 0:
        return []
    constant = add_constant(graph, f"{layer_name(old[0])}.{part}", along(sign, len(shape_of(x)), axis))
    return [new_node("Mul", [x, constant], shape_of(x), old, part=part)]
