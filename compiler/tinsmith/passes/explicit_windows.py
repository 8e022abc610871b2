"""Writes out everything that Conv and pools leave to defaults, to `auto_pad` and to `ceil_mode`."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from tinsmith.constraints.geometry import overhang, window
from tinsmith.passes.rewrite import RewritePass, attributes_of, input_of, shape_of


class ExplicitWindows(RewritePass):
    """Afterwards kernel_shape, strides, pads (and dilations, group) stand there as numbers, and nothing else does.

    `ceil_mode=1` becomes padding at the end. An average pool counts padding from here on; one that did not has none.
    """

    name = "explicit-windows"
    ops = ("Conv", "MaxPool", "AveragePool")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Set the attributes of `node`; returns whether that changed them."""
        before = attributes_of(node)
        size = shape_of(input_of(node))[2:]
        kernel = before.get("kernel_shape") or shape_of(input_of(node, 1))[2:]
        w = window(before, (kernel[0], kernel[1]), (size[0], size[1]))
        if before.get("ceil_mode", 0):
            w = overhang(w, (size[0], size[1]))
        after: dict[str, int | tuple[int, ...]] = {"kernel_shape": w.kernel, "strides": w.strides, "pads": w.pads}
        if node.op_type == "AveragePool":
            after["count_include_pad"] = 1
        else:
            after["dilations"] = w.dilations
        if node.op_type == "Conv":
            after["group"] = before.get("group", 1)
        if _plain(before) == _plain(after):
            return False
        node.attributes.clear()
        for key, value in after.items():
            node.attributes[key] = ir.AttrInt64(key, value) if isinstance(value, int) else ir.AttrInt64s(key, value)
        return True


def _plain(attributes: Mapping[str, object]) -> dict[str, object]:
    return {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in attributes.items()}
