"""Folds `scale * x + shift`, one number a channel, into a neighbouring layer, or leaves one Mul and one Add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import onnx_ir as ir

from tinsmith.constraints.geometry import as_image
from tinsmith.ir.bits import flips_signs, is_bit
from tinsmith.ir.provenance import inherit, layer_name
from tinsmith.passes import rewrite
from tinsmith.passes.affine import Affine, affine_of
from tinsmith.passes.linear import can_scale_input, is_linear, output_axis, scale_input, scale_output
from tinsmith.passes.rewrite import (
    Array,
    RewritePass,
    add_constant,
    along,
    constant_of,
    input_of,
    new_node,
    new_reshape,
    only_consumer,
    shape_of,
)


class FoldAffine(RewritePass):
    """BatchNormalization, and Add, Sub, Mul and Div by a constant; several in a row are one.

    First choice: the layer before (passes/linear.py), max-pools between them or not, if nobody else reads it. Second:
    all layers behind, which can take a shift only where they do not pad. Else: a Mul and an Add, of which the Mul goes
    before a product that varies over positions or with the input, and into the layer before that.
    """

    name = "fold-affine"
    ops = ("BatchNormalization", "Add", "Sub", "Mul", "Div")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Fold or replace the row of nodes that `node` ends; False if it ends none, or one that is to stay."""
        row = _row(node)
        if row is None:
            return False
        if _into_producer(row, graph) or _into_consumers(row, graph):
            return True
        moved = _before_product(row, graph)
        return _spell_out(replace(row, affine=replace(row.affine, scale=np.ones(1))) if moved else row, graph) or moved


@dataclass(frozen=True)
class _Row:
    """Nodes one behind the other, of which each but the last has one reader, and what they compute together."""

    nodes: tuple[ir.Node, ...]
    affine: Affine

    @property
    def y(self) -> ir.Value:
        """What the last one makes."""
        return self.nodes[-1].outputs[0]

    @property
    def alone(self) -> bool:
        """Whether nobody else reads what goes in."""
        return only_consumer(self.affine.x) is self.nodes[0]

    def drop(self, graph: ir.Graph) -> bool:
        """Let readers of the last one's output read what goes into the first; False at the graph's border."""
        self.nodes[-1].replace_input_with(0, self.affine.x)
        if not rewrite.bypass(self.nodes[-1]):
            return False
        for node in reversed(self.nodes[:-1]):
            graph.remove(node, safe=True)
        return True


def _row(last: ir.Node) -> _Row | None:
    """The row that ends with `last`; None where it goes on behind, or `last` is not affine."""
    affine = _affine(last)
    reader = only_consumer(last.outputs[0])
    if affine is None or (reader is not None and _joined(affine, _affine(reader)) is not None):
        return None
    nodes = [last]
    while (before := affine.x.producer()) is not None and only_consumer(affine.x) is nodes[0]:
        joined = _joined(_affine(before), affine)
        if joined is None:
            break
        nodes.insert(0, before)
        affine = joined
    return _Row(tuple(nodes), affine)


def _affine(node: ir.Node) -> Affine | None:
    """What `node` does; None also for signs of bits, which belong to the pool between them (binarize-early)."""
    if node.domain or node.op_type not in FoldAffine.ops:
        return None
    affine = affine_of(node)
    return None if affine is None or (flips_signs(node) and is_bit(affine.x)) else affine


def _joined(first: Affine | None, second: Affine | None) -> Affine | None:
    """`second` of what `first` gives; None where one is missing or they vary along different axes."""
    if first is None or second is None:
        return None
    axes = {axis for axis in (first.axis, second.axis) if axis is not None}
    if len(axes) > 1:
        return None
    scale, shift = first.scale * second.scale, first.shift * second.scale + second.shift
    return Affine(first.x, scale, shift, axes.pop() if axes else None)


def _into_producer(row: _Row, graph: ir.Graph) -> bool:
    layer = _layer_before(row) if row.alone else None
    if layer is None:
        return False
    scale_output(layer, graph, row.affine)
    inherit(layer, layer, *row.nodes)
    return row.drop(graph)


def _layer_before(row: _Row) -> ir.Node | None:
    """The layer that makes what goes into the row, if it can take the row in."""
    node = row.affine.x.producer()
    last = len(shape_of(row.affine.x)) - 1
    if node is not None and node.op_type == "Reshape" and row.affine.varies_along(last) and _behind_gemm(node):
        return input_of(node).producer()  # x @ w + b of more than two dimensions
    while node is not None and node.op_type == "MaxPool" and _passes(row, node):
        node = input_of(node).producer()
    return node if node is not None and is_linear(node) and row.affine.varies_along(output_axis(node)) else None


def _passes(row: _Row, pool: ir.Node) -> bool:
    """The maximum of what grows alike is what the maximum grows to."""
    return bool((row.affine.scale > 0).all()) and only_consumer(input_of(pool)) is pool


def _behind_gemm(reshape: ir.Node) -> bool:
    """Whether a Reshape only regroups the rows of a Gemm's result that nobody else reads."""
    before = input_of(reshape)
    producer = before.producer()
    gemm = producer is not None and producer.op_type == "Gemm" and only_consumer(before) is reshape
    return gemm and shape_of(before)[-1] == shape_of(reshape.outputs[0])[-1]


def _into_consumers(row: _Row, graph: ir.Graph) -> bool:
    readers = [use.node for use in row.y.uses()]
    if row.y.is_graph_output() or not readers or not row.affine.varies_along(1):
        return False
    if not all(can_scale_input(reader, row.y, row.affine) for reader in readers):
        return False
    for reader in readers:
        scale_input(reader, graph, row.affine)
        inherit(reader, reader, *row.nodes)
    return row.drop(graph)


def _before_product(row: _Row, graph: ir.Graph) -> bool:
    """(x * k) * scale is (x * scale) * k, and a layer that makes x for this product alone takes the scale in."""
    product = row.affine.x.producer()
    if product is None or product.op_type != "Mul" or not row.alone or (row.affine.scale == 1).all():
        return False
    x = input_of(product)
    layer = x.producer()
    if layer is None or not is_linear(layer) or only_consumer(x) is not product or affine_of(product) is not None:
        return False
    if not row.affine.varies_along(output_axis(layer)):
        return False
    scale_output(layer, graph, replace(row.affine, shift=np.zeros(1)))
    return True


def _spell_out(row: _Row, graph: ir.Graph) -> bool:
    """Put one Mul and one Add in place of the row, as far as they do anything; False if it stands so already."""
    wanted = [("Mul", row.affine.scale, 1), ("Add", row.affine.shift, 0)]
    wanted = [(op, values, neutral) for op, values, neutral in wanted if (values != neutral).any()]
    shape = shape_of(row.affine.x)
    image = _with_channels(shape, row.affine.axis) if wanted else shape
    axis = _CHANNELS.get(len(image), len(image) - 1) if row.affine.axis is not None else None
    constants = [along(values, len(image), axis).astype(np.float32) for _, values, _ in wanted]
    if image == shape and _stands(row, [op for op, _, _ in wanted], constants):
        return False
    new = [new_reshape(graph, row.affine.x, image, row.nodes, "image")] if image != shape else []
    for (op, _, _), constant in zip(wanted, constants, strict=True):
        x = new[-1].outputs[0] if new else row.affine.x
        value = add_constant(graph, f"{layer_name(row.nodes[0])}.{'scale' if op == 'Mul' else 'shift'}", constant)
        new.append(new_node(op, [x, value], image, row.nodes, part="" if op == wanted[-1][0] else "scale"))
    if image != shape:
        new.append(new_reshape(graph, new[-1].outputs[0], shape, row.nodes, "reshape"))
    if not new and not row.drop(graph):
        new = [new_reshape(graph, row.affine.x, shape, row.nodes)]
    if new:
        rewrite.replace(row.nodes[-1], new)
        for node in reversed(row.nodes[:-1]):
            graph.remove(node, safe=True)
    return True


_CHANNELS = {4: 1}
"""The axis of the channels by rank, where it is not the last."""


def _with_channels(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    """`shape`, or one of an image or a matrix whose channels are `axis` of it."""
    if axis is None or axis == _CHANNELS.get(len(shape), len(shape) - 1):
        return shape
    return (prod(shape[:-1]), shape[-1]) if axis == len(shape) - 1 else as_image(shape, axis)


def _stands(row: _Row, ops: Sequence[str], constants: Sequence[Array]) -> bool:
    if [node.op_type for node in row.nodes] != list(ops):
        return False
    given = [constant_of(node, 1) for node in row.nodes]
    return all(
        g is not None and g.shape == c.shape and np.array_equal(g, c) for g, c in zip(given, constants, strict=True)
    )
