"""Constraints of every operator, and the ones that several families share."""

from __future__ import annotations

import numpy as np

from tinsmith.constraints.curves import CONDITIONS
from tinsmith.constraints.view import NodeView

FLOAT, UINT8, INT8, INT64, BOOL = 1, 2, 3, 7, 9
_MAY_ALSO_BE = {
    **dict.fromkeys((*CONDITIONS, "Cast", "Where"), (BOOL,)),
    "ArgMax": (INT64,),
    "QuantizeLinear": (UINT8, INT8),
    "DequantizeLinear": (UINT8, INT8),
}


def values_are_float32(node: NodeView) -> str | None:
    """Values that flow between layers are float32 (ArgMax may give int64, QuantizeLinear uint8 or int8).

    Export the model in float32: `model.float()` in PyTorch. Integers come from Tinsmith's own quantization.
    """
    import onnx

    names = [node.proto.input[i] for i in node.activations()] + [name for name in node.proto.output if name]
    allowed = (0, FLOAT, *_MAY_ALSO_BE.get(node.op, ()))
    wrong = [n for n in names if node.graph.element_type(n) not in allowed]
    wrong = [n for n in wrong if node.graph.consumers.get(n) or n in node.graph.outputs]
    names_of = {number: name.lower() for name, number in onnx.TensorProto.DataType.items()}
    kinds = {n: names_of.get(node.graph.element_type(n), "of an unknown type") for n in wrong}
    return ", ".join(f"{name!r} is {kind}" for name, kind in kinds.items()) or None


def constants_are_finite_float32(node: NodeView) -> str | None:
    """Weights and other real constants are float32, and none is NaN or infinite.

    Train again, with a smaller learning rate or gradient clipping, or export in float32.
    """
    for i, name in enumerate(node.proto.input):
        value = node.constant(i)
        if value is None or value.dtype.kind in "iub":
            continue
        if value.dtype != np.float32:
            return f"{name!r} is {value.dtype}"
        # An infinite bound of Clip is a bound left out.
        bad = int(np.count_nonzero(np.isnan(value) if node.op == "Clip" else ~np.isfinite(value)))
        if bad:
            return f"{bad} of the {value.size} values of {name!r} are NaN or infinite"
    return None


def values_are_not_empty(node: NodeView) -> str | None:
    """No dimension of a value is 0.

    Look for a slice or a pool that leaves nothing.
    """
    for name in (*node.proto.input, *node.proto.output):
        if name not in node.graph.constants and 0 in (node.graph.shape(name) or ()):
            return f"{name!r} has shape {list(node.graph.shape(name) or ())}"
    return None


def takes_one_activation(node: NodeView) -> str | None:
    """The first input is computed from the model's inputs, the others are constants.

    A product or sum of two computed values is only taken as Add of two equal shapes.
    """
    wrong = [node.proto.input[i] for i in node.activations() if i != 0]
    if node.is_constant(0):
        return f"input {node.proto.input[0]!r} is a constant"
    return f"{', '.join(map(repr, wrong))} is not a constant" if wrong else None


def has_one_output(node: NodeView) -> str | None:
    """Only the first output is used.

    Drop indices, masks and running statistics from the model.
    """
    extra = [n for n in node.proto.output[1:] if n and (n in node.graph.outputs or node.graph.consumers.get(n))]
    return f"output {extra[0]!r} is used" if extra else None


def is_an_image(node: NodeView) -> str | None:
    """The input is (1, channels, height, width), or (1, channels, length): the batch is 1.

    Windows along three axes are not taken: use two, or fold one into the channels.
    """
    shape = node.shape()
    if shape is None:
        return None
    if len(shape) not in (3, 4):
        return f"its input has shape {list(shape)}"
    return f"its input has batch {shape[0]}" if shape[0] != 1 else None
