"""Constraints of Softmax and ArgMax, which may only stand at the end of a model."""

from __future__ import annotations

from tinsmith.constraints.view import NodeView

RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")


def axis_is_the_last(node: NodeView) -> str | None:
    """The axis is the last one, or the only one longer than 1 (an output (1, n, 1, 1) of Softmax then becomes (1, n)).

    Transpose before, so that classes are last.
    """
    shape = node.shape()
    if shape is None:
        return None
    axis = reduced_axis(node, len(shape))
    alone = all(d == 1 for i, d in enumerate(shape) if i != axis)
    return None if axis == len(shape) - 1 or alone else f"axis {axis} of {list(shape)}"


def reduced_axis(node: NodeView, rank: int) -> int:
    """The axis along which Softmax or ArgMax works, counted from 0."""
    default = 0 if node.op == "ArgMax" else (-1 if node.graph.opset >= 13 else 1)
    return int(node.attributes.get("axis", default)) % rank


def result_is_the_output(node: NodeView) -> str | None:
    """Softmax and ArgMax give outputs of the model; only reshapes and an ArgMax along its axis may follow Softmax.

    A Softmax in the middle (attention) is not taken yet.
    """
    if node.is_output() and not node.consumers():
        return None
    if node.is_output():
        return f"its result also goes into {node.consumers()[0].label}"
    if node.op == "ArgMax":
        return f"its result goes into {node.consumers()[0].label}" if node.consumers() else None
    return _follow_softmax(node)


def _follow_softmax(softmax: NodeView) -> str | None:
    """What follows a Softmax, if it is not only reshapes down to an output, or one ArgMax."""
    node = softmax
    while not node.is_output():
        following = node.consumers()
        if len(following) != 1:
            return "its result is used more than once" if following else None
        (node,) = following
        if node.op == "ArgMax" and not node.consumers() and _same_axis(softmax, node):
            return None
        if node.op not in RESHAPES:
            return f"its result goes into {node.label}"
        shape, axis = node.output_shape(), softmax.shape()
        if shape and axis and shape[-1] != axis[reduced_axis(softmax, len(axis))]:
            return f"{node.label} moves its axis from the end"
    return f"its result also goes into {node.consumers()[0].label}" if node.consumers() else None


def _same_axis(softmax: NodeView, argmax: NodeView) -> bool:
    before, after = softmax.shape(), argmax.shape()
    if not before or not after:
        return True
    axes = reduced_axis(softmax, len(before)), reduced_axis(argmax, len(after))
    return before == after and axes[0] == axes[1]


def first_of_equals_wins(node: NodeView) -> str | None:
    """ArgMax gives the first of several maxima (select_last_index=0).

    It is the default.
    """
    return "select_last_index is 1" if node.attributes.get("select_last_index", 0) else None
