"""Makes picking of channels and of every n-th pixel, and padding of channels, a 1×1 Conv with ones and zeros.

This is the parameter-free shortcut of CIFAR ResNets: `F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, c // 4, c // 4))`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.constraints.evaluate import onnx_slice
from tinsmith.ir.provenance import layer_name
from tinsmith.passes.fold_pads import padding
from tinsmith.passes.rewrite import (
    RewritePass,
    add_constant,
    input_of,
    ints_of,
    new_node,
    only_consumer,
    replace,
    shape_of,
)


@dataclass(frozen=True)
class _Selection:
    """Which source channel each channel is (-1: zeros), and every how many rows and columns are kept."""

    channels: npt.NDArray[np.int64]
    strides: tuple[int, int]


class SlicesToConv(RewritePass):
    """A chain of Slices and Pads of channels becomes one Conv; a Pad's rows and columns stay a Pad."""

    name = "slices-to-conv"
    ops = ("Slice", "Pad")

    def rewrite(self, node: ir.Node, graph: ir.Graph) -> bool:
        """Replace the chain that ends in `node`, (1, C, H, W); chains end where no other Slice or Pad follows."""
        if not _selects(node) or _continues(node):
            return False
        chain = [node]
        while (before := input_of(chain[0]).producer()) is not None and _selects(before) and _continues(before):
            chain.insert(0, before)
        x = input_of(chain[0])
        selection = _Selection(np.arange(shape_of(x)[1]), (1, 1))
        for link in chain:
            selection = _then(selection, link)
        new = [_conv(chain, graph, x, selection)]
        if node.op_type == "Pad" and any(padding(node)[i] for i in (2, 3, 6, 7)):
            new.append(_spatial_pad(node, graph, new[0].outputs[0]))
        replace(node, new)
        for link in reversed(chain[:-1]):
            graph.remove(link, safe=True)
        return True


def _selects(node: ir.Node) -> bool:
    return node.op_type == "Slice" or (node.op_type == "Pad" and any(padding(node)[i] for i in (1, 5)))


def _continues(node: ir.Node) -> bool:
    """Whether what follows belongs to the same chain: a Pad with rows or columns must end one."""
    following = only_consumer(node.outputs[0])
    ends = node.op_type == "Pad" and any(padding(node)[i] for i in (2, 3, 6, 7))
    return following is not None and _selects(following) and not ends


def _then(selection: _Selection, node: ir.Node) -> _Selection:
    if node.op_type == "Pad":
        pads = padding(node)
        return _Selection(np.pad(selection.channels, (pads[1], pads[5]), constant_values=-1), selection.strides)
    channels, strides = selection.channels, list(selection.strides)
    starts, ends = ints_of(node, "starts", 1) or (), ints_of(node, "ends", 2) or ()
    steps = ints_of(node, "steps", 4) or (1,) * len(starts)
    axes = ints_of(node, "axes", 3) or tuple(range(len(starts)))
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if axis % 4 == 1:
            channels = channels[onnx_slice(start, end, step, len(channels))]
        elif axis % 4 > 1 and shape_of(input_of(node))[axis] > 1:
            strides[axis % 4 - 2] *= step
    return _Selection(channels, (strides[0], strides[1]))


def _conv(chain: list[ir.Node], graph: ir.Graph, x: ir.Value, selection: _Selection) -> ir.Node:
    _, channels, height, width = shape_of(x)
    count, name = len(selection.channels), layer_name(chain[-1])
    depthwise = np.array_equal(selection.channels, np.arange(channels))
    weight = np.ones((count, 1)) if depthwise else selection.channels[:, None] == np.arange(channels)
    rows, columns = (-(-size // stride) for size, stride in zip((height, width), selection.strides, strict=True))
    inputs = [
        x,
        add_constant(graph, f"{name}.weight", weight[:, :, None, None]),
        add_constant(graph, f"{name}.bias", np.zeros(count)),
    ]
    attributes = {
        "kernel_shape": (1, 1),
        "strides": selection.strides,
        "pads": (0, 0, 0, 0),
        "dilations": (1, 1),
        "group": channels if depthwise else 1,
    }
    return new_node("Conv", inputs, (1, count, rows, columns), list(reversed(chain)), attributes)


def _spatial_pad(node: ir.Node, graph: ir.Graph, x: ir.Value) -> ir.Node:
    pads = padding(node)
    pads[1] = pads[5] = 0
    amounts = add_constant(graph, f"{layer_name(node)}.pads", np.asarray(pads), np.int64)
    return new_node("Pad", [x, amounts], shape_of(node.outputs[0]), [node], part="pad")
