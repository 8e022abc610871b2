"""What each node of a canonical model is to a quantized layer: its head, or something that the layer absorbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import onnx_ir as ir

from tinsmith.ir.bits import BINARY, MOVERS, SHIFT, flips_signs, is_bit, stays_bits
from tinsmith.ir.domain import CURVE_DOMAIN

Role = Literal["weighted", "sum", "pool", "product", "magnitude", "pieces", "curve", "bits", "move"]
"""How the head of a layer computes.

`sum`: Add of two values. `product`: Mul of two values, or by a constant that is not one number a channel. `magnitude`:
ReduceMean of Abs. `pieces`: arithmetic with one constant a channel, and PRelu. `curve`: any
function of one value. `bits`: Binarize. `move`: nothing.
"""

WEIGHTED = frozenset({"Conv", "Gemm", *BINARY, *SHIFT})
ACTIVATIONS = frozenset({"Relu", "Clip"})
_OTHERS: dict[str, Role] = {"AveragePool": "pool", "Abs": "magnitude", "PRelu": "pieces", "Binarize": "bits"}


def channel_axis(value: ir.Value) -> int:
    """The axis of the channels: 1 of an image, else the last."""
    rank = len(value.shape or ())
    return 1 if rank == 4 else rank - 1


def varying_axes(constant: ir.Value | None, y: ir.Value) -> list[int]:
    """The axes of `y` along which a constant varies when it is broadcast to it."""
    if constant is None or constant.const_value is None:
        raise ValueError(f"what is broadcast to {y.name!r} is no constant")
    shape = constant.const_value.shape.numpy()
    first = len(y.shape or ()) - len(shape)
    return [first + axis for axis, length in enumerate(shape) if length != 1]


def per_channel(constant: ir.Value | None, y: ir.Value) -> bool:
    """Whether a constant is one number, or one a channel of `y`."""
    return set(varying_axes(constant, y)) <= {channel_axis(y)}


def is_affine(node: ir.Node) -> bool:
    """Whether `node` adds or multiplies by a constant of one number a channel, or of one number."""
    other = node.inputs[1] if node.op_type in ("Add", "Mul") else None
    return other is not None and other.const_value is not None and per_channel(other, node.outputs[0])


def role(node: ir.Node) -> Role | None:
    """The role of `node` at the head of a layer; None for what only stands behind a head, or at a graph output."""
    if node.domain == CURVE_DOMAIN:
        return "curve"
    if node.op_type in WEIGHTED:
        return "weighted"
    if node.op_type in MOVERS or (flips_signs(node) and is_bit(node.outputs[0]) and stays_bits(node.outputs[0])):
        return "move"
    if is_affine(node):
        return "pieces"
    if node.op_type in ("Add", "Mul"):
        return "sum" if node.op_type == "Add" else "product"
    return _OTHERS.get(node.op_type)


def only_reader(value: ir.Value) -> ir.Node | None:
    """The one node that reads `value`, once and as its first input, where nobody else does."""
    uses = list(value.uses())
    single = len(uses) == 1 and uses[0].idx == 0 and not value.is_graph_output()
    return uses[0].node if single else None


def absorbed(head: ir.Node) -> list[ir.Node]:
    """`head` and the nodes behind it that become one layer with it, in order."""
    nodes = [head]
    while (follower := only_reader(nodes[-1].outputs[0])) is not None and _absorbs(nodes, follower):
        nodes.append(follower)
    return nodes


def _absorbs(nodes: Sequence[ir.Node], follower: ir.Node) -> bool:
    kind, last = role(nodes[0]), nodes[-1]
    if kind in ("move", "bits"):
        return kind == "move" and _flipped_pool(nodes, follower)
    if last.op_type == "Abs":
        return follower.op_type == "ReduceMean"
    if last.op_type in (*ACTIVATIONS, "Binarize"):
        return False
    if follower.op_type in ACTIVATIONS:
        return kind is not None
    straight = all(node.op_type != "PRelu" for node in nodes)
    if kind == "pieces" and (is_affine(follower) or follower.op_type == "PRelu"):
        return is_affine(follower) or straight
    if kind == "product" and is_affine(follower):
        return _is_positive(follower)
    if follower.op_type == "Binarize":
        return (kind in ("weighted", "product") or (kind == "pieces" and straight)) and _ends_in_bits(follower)
    return False


def _ends_in_bits(binarize: ir.Node) -> bool:
    """Whether a layer can end in this Binarize: only binary layers read it, and its threshold is one a channel."""
    y = binarize.outputs[0]
    return stays_bits(y) and per_channel(binarize.inputs[1], y)


def _flipped_pool(nodes: Sequence[ir.Node], follower: ir.Node) -> bool:
    """Mul by signs, MaxPool, Mul by the same signs: a pool that takes the minimum of some channels."""
    if not flips_signs(nodes[0]):
        return False
    wanted = ("Mul", "MaxPool", "Mul")
    return len(nodes) < len(wanted) and follower.op_type == wanted[len(nodes)]


def _is_positive(node: ir.Node) -> bool:
    """Whether an affine node keeps the order of values."""
    factor = node.inputs[1]
    if node.op_type == "Add" or factor is None or factor.const_value is None:
        return node.op_type == "Add"
    return bool((np.asarray(factor.const_value.numpy()) > 0).all())
