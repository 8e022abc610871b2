"""Lowers AveragePool and MaxPool."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.passes.lowering.builder import Builder, fields
from tinsmith.passes.lowering.moves import moved
from tinsmith.passes.lowering.qdq import Group, stored_name


def _pair(node: ir.Node, name: str) -> tuple[int, int]:
    a, b = node.attributes.get_ints(name, (1, 1))
    return a, b


def _pads(node: ir.Node) -> tuple[int, int, int, int]:
    top, left, bottom, right = node.attributes.get_ints("pads", (0, 0, 0, 0))
    return top, left, bottom, right


def lower_average_pool(builder: Builder, group: Group, node: ir.Node) -> None:
    """AveragePool over H and W that counts its padding, or has none: the area is one constant."""
    x = builder.tensors[stored_name(node.inputs[0])]
    kernel = _pair(node, "kernel_shape")
    area = kernel[0] * kernel[1]
    builder.add_requantized(
        lambda requant: exact.AveragePool(
            **fields(group, x.name),
            kernel=kernel,
            strides=_pair(node, "strides"),
            pads=_pads(node),
            requant=requant,
        ),
        group,
        np.array([x.scale / (group.output.scale * area)]),
    )


def pool_fields(node: ir.Node) -> dict[str, Any]:
    """The window of a MaxPool, as records hold it."""
    window = {name: _pair(node, name) for name in ("strides", "dilations")}
    return {**window, "kernel": _pair(node, "kernel_shape"), "pads": _pads(node)}


def lower_max_pool(builder: Builder, group: Group, node: ir.Node) -> None:
    """MaxPool over H and W."""
    layer = exact.MaxPool(**fields(group, stored_name(node.inputs[0])), **pool_fields(node))
    builder.add(layer, moved(builder, group, layer))
