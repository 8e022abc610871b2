"""Where a node came from: a layer name that the user knows and a place in the user's own files.

Both stand in the node's metadata, so they survive saving, and every pass hands them on with `inherit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir

LAYER = "tinsmith.layer"
"""Metadata key of the layer name, unique in the graph."""
SOURCE = "tinsmith.source"
"""Metadata key of the place: `net.py:12`, or the ONNX node names that were merged, separated by ", "."""


def layer_name(node: ir.Node) -> str:
    """The unique layer name of a node: the torch module's path or the ONNX node's name."""
    return node.metadata_props.get(LAYER) or node.name or node.outputs[0].name or ""


def source(node: ir.Node) -> str:
    """`file.py:line` relative to the user's file, or the names of the ONNX nodes that this one stands for."""
    return node.metadata_props.get(SOURCE) or node.name or ""


def inherit(new_node: ir.Node, *old_nodes: ir.Node, part: str = "") -> None:
    """Give `new_node` the layer name of the first of `old_nodes` and the sources of all of them, in order.

    Args:
        new_node: the node that stands for the old ones.
        old_nodes: the nodes it stands for, the one that names the layer first.
        part: set where one old node becomes several: the new name is `layer/part`, so names stay unique.
    """
    name = layer_name(old_nodes[0]) + (f"/{part}" if part else "")
    places = dict.fromkeys(place for old in old_nodes for place in source(old).split(", ") if place)
    new_node.name = name
    new_node.metadata_props[LAYER] = name
    new_node.metadata_props[SOURCE] = ", ".join(places)
