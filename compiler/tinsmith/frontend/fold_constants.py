"""Replaces constant arithmetic by its results, which shape inference needs to see.

Exporters compute pads and shapes with chains of small nodes, some from the shapes of activations. So folding and shape
inference take turns until neither finds more.
"""

from __future__ import annotations

import onnx
import onnx.numpy_helper

from tinsmith.constraints.view import GraphView


def fold_constants(model: onnx.ModelProto) -> bool:
    """Keep only nodes that an output needs and that compute something; returns whether any went.

    Constants that remaining nodes read, and no others, stay as initializers.
    """
    view = GraphView(model)
    kept = [node.proto for node in view.nodes]
    if len(kept) == len(model.graph.node):
        return False
    read = dict.fromkeys(name for node in kept for name in node.input)
    constants = [onnx.numpy_helper.from_array(view.constants[n], n) for n in read if n in view.constants]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in kept]
    computed = [info for info in model.graph.value_info if info.name not in view.constants]
    infos = [onnx.ValueInfoProto.FromString(info.SerializeToString()) for info in computed]
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.value_info.extend(infos)  # what was inferred of a constant may lack the shape that it has
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(constants)
    return True
