"""Constraints of the operators that training leaves behind (ir/trained)."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx.defs

from tinsmith.constraints.geometry import channel_axis
from tinsmith.constraints.view import NodeView
from tinsmith.ir.domain import TRAINED_DOMAIN, TRAINED_VERSION

_WINDOW = {"strides": "INTS", "pads": "INTS", "dilations": "INTS"}
_SIGNATURES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "Binarize": (("x", "threshold"), {}),
    "BinaryConv": (("x", "w", "scale", "bias"), {**_WINDOW, "pad_value": "INT"}),
    "BinaryGemm": (("x", "w", "scale", "bias"), {}),
    "ShiftConv": (("x", "codes", "scale", "bias"), {**_WINDOW, "group": "INT", "bits": "INT"}),
    "ShiftGemm": (("x", "codes", "scale", "bias"), {"bits": "INT"}),
}
MOVERS = ("MaxPool", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Identity", "Dropout")
"""What may stand between a Binarize and a binary layer."""


@cache
def schema(op: str) -> onnx.defs.OpSchema:
    """The signature of a trained operator; every attribute is required."""
    inputs, attributes = _SIGNATURES[op]
    kinds = onnx.defs.OpSchema.AttrType
    return onnx.defs.OpSchema(
        op,
        TRAINED_DOMAIN,
        TRAINED_VERSION,
        inputs=[onnx.defs.OpSchema.FormalParameter(name, f"T{i}") for i, name in enumerate(inputs)],
        outputs=[onnx.defs.OpSchema.FormalParameter("y", "T0")],
        type_constraints=[
            (f"T{i}", ["tensor(float)", "tensor(int8)", "tensor(uint8)"], "") for i in range(len(inputs))
        ],
        attributes=[
            onnx.defs.OpSchema.Attribute(name, getattr(kinds, kind), required=True) for name, kind in attributes.items()
        ],
    )


def threshold_is_per_channel(node: NodeView) -> str | None:
    """Binarize's threshold is a constant: one number, or one number a channel.

    Train with `tinsmith.train`, whose methods learn no other thresholds.
    """
    threshold, shape = node.constant(1), node.shape()
    if threshold is None:
        return f"{node.proto.input[1]!r} is not a constant"
    if shape is None or channel_axis(shape, threshold.shape) is not None:
        return None
    column = threshold.shape[-1:] == shape[-1:] and threshold.size == shape[-1]
    return None if column else f"the threshold has shape {list(threshold.shape)}, the input {list(shape)}"


def input_is_bits(node: NodeView) -> str | None:
    """What a binary layer reads are ±1: Binarize makes them, and nothing behind it but moves and max-pools.

    Binarize the input, as the layers that `tinsmith.train.binarize` makes do; or leave this layer out of it (`skip`).
    """
    return None if _is_bits(node, 0) else f"{node.proto.input[0]!r} is not proved to be ±1"


def _is_bits(node: NodeView, i: int) -> bool:
    if node.is_constant(i):
        values = node.constant(i)
        return values is not None and bool((np.abs(values) == 1).all())
    source = node.producer(i)
    if source is None:
        return False
    if source.domain == TRAINED_DOMAIN:
        return source.op == "Binarize"
    if source.op == "Mul":
        return _is_bits(source, 0) and _is_bits(source, 1)
    first = range(len(source.proto.input)) if source.op == "Concat" else (0,)
    return source.op in MOVERS and all(_is_bits(source, k) for k in first)


def weights_are_signs(node: NodeView) -> str | None:
    """The weights of a binary layer are int8 constants, -1 or +1.

    The file is damaged or was put together by hand.
    """
    weight = node.constant(1)
    if weight is None:
        return f"{node.proto.input[1]!r} is not a constant"
    fits = weight.dtype == np.int8 and bool((np.abs(weight) == 1).all())
    return None if fits else f"{node.proto.input[1]!r} holds other values, or is {weight.dtype}"


def codes_have_their_bits(node: NodeView) -> str | None:
    """The weights of a shift layer are uint8 constants, each a code of 2, 3 or 4 bits.

    The file is damaged or was put together by hand.
    """
    codes, bits = node.constant(1), node.attributes["bits"]
    if codes is None:
        return f"{node.proto.input[1]!r} is not a constant"
    if bits not in (2, 3, 4):
        return f"bits is {bits}"
    fits = codes.dtype == np.uint8 and bool((codes < 1 << bits).all())
    return None if fits else f"{node.proto.input[1]!r} holds codes of more than {bits} bits, or is {codes.dtype}"


def convolution_fits_weights(node: NodeView) -> str | None:
    """A convolution's weight, strides, pads and dilations agree with its input.

    The file is damaged or was put together by hand.
    """
    shape, weight = node.shape(), node.shape(1)
    if shape is None or weight is None:
        return None
    axes, group = len(shape) - 2, node.attributes.get("group", 1)
    strides, pads, dilations = (node.attributes[name] for name in _WINDOW)
    lengths = (len(weight) - 2, len(strides), len(dilations), len(pads) // 2)
    fits = set(lengths) == {axes} and len(pads) % 2 == 0 and min(*strides, *dilations, group) > 0
    if not fits or weight[0] % group or weight[1] * group != shape[1]:
        return f"weight {list(weight)}, strides {list(strides)}, group {group}, input {list(shape)}"
    return None


def pad_value_is_a_bit_or_nothing(node: NodeView) -> str | None:
    """The padding of a binary convolution counts as -1, 0 or 1.

    The file is damaged or was put together by hand.
    """
    value = node.attributes["pad_value"]
    return None if value in (-1, 0, 1) else f"pad_value is {value}"


def product_fits_weights(node: NodeView) -> str | None:
    """The weight of a matrix product is (inputs, outputs) and agrees with the last axis of its input.

    The file is damaged or was put together by hand.
    """
    shape, weight = node.shape(), node.shape(1)
    if shape is None or weight is None or (len(weight) == 2 and shape and shape[-1] == weight[0]):
        return None
    return f"weight {list(weight)}, input {list(shape)}"


def scale_and_bias_are_per_channel(node: NodeView) -> str | None:
    """Scale and bias of a trained layer are float32 constants, one number an output channel.

    The file is damaged or was put together by hand.
    """
    weight = node.shape(1) or (0,)
    channels = weight[0 if node.op.endswith("Conv") else -1]
    for i in (2, 3):
        value = node.constant(i)
        if value is None or value.shape != (channels,) or value.dtype != np.float32:
            return f"{node.proto.input[i]!r} is not {channels} float32 constants"
    return None
