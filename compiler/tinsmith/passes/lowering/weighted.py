"""Lowers Conv and Gemm: int8 weights, biases on the accumulator's grid, one multiplier an output channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from tinsmith.ir import exact
from tinsmith.numerics.requantize import INT32_MAX
from tinsmith.passes.lowering.builder import Builder, fields, place
from tinsmith.passes.lowering.qdq import Group, constant, producer, stored_name

Scales = npt.NDArray[np.float64]


def _weight(node: ir.Node, channels_axis: int) -> tuple[exact.Int8Array, Scales]:
    dequantize = producer(node.inputs[1], "DequantizeLinear")
    if dequantize is None:
        raise ValueError(f"the weight of {node.name!r} is not dequantized")
    weight = constant(dequantize.inputs[0])
    scales = constant(dequantize.inputs[1]).astype(np.float64).reshape(-1)
    return weight, np.broadcast_to(scales, weight.shape[channels_axis])


def _bias(builder: Builder, node: ir.Node, unit: Scales, where: str) -> exact.Int32Array:
    """round(bias / unit), unit being the real value of one step of each channel's accumulator."""
    steps = np.rint(constant(node.inputs[2]).astype(np.float64).reshape(-1) / unit)
    if not (np.abs(steps) <= INT32_MAX).all():
        channel = int(np.argmax(np.abs(steps)))
        builder.problems.add(
            f"the bias of channel {channel} is {steps[channel]:.3g} steps of the accumulator, past int32",
            where=where,
            why="its weights are too small beside its bias",
            fix="prune the channel, or give the layer's input a wider range in the recipe",
        )
        steps = np.zeros_like(steps)
    return steps.astype(np.int32)


def lower_conv(builder: Builder, group: Group, node: ir.Node) -> None:
    """Conv(x, w, b), 2-D."""
    x = builder.tensors[stored_name(node.inputs[0])]
    weight, scales = _weight(node, 0)
    unit = x.scale * scales
    bias = _bias(builder, node, unit, place(group.name, group.source, "Conv"))
    attributes = node.attributes
    strides, dilations = attributes.get_ints("strides", (1, 1)), attributes.get_ints("dilations", (1, 1))
    pads = attributes.get_ints("pads", (0, 0, 0, 0))
    builder.add_requantized(
        lambda requant: exact.Conv(
            **fields(group, x.name),
            weight=weight,
            bias=bias,
            strides=(strides[0], strides[1]),
            pads=(pads[0], pads[1], pads[2], pads[3]),
            dilations=(dilations[0], dilations[1]),
            group=attributes.get_int("group", 1),
            ending=requant,
        ),
        group,
        unit / group.output.scale,
    )


def lower_gemm(builder: Builder, group: Group, node: ir.Node) -> None:
    """Gemm(x, w, b), w (K, N)."""
    x = builder.tensors[stored_name(node.inputs[0])]
    weight, scales = _weight(node, 1)
    unit = x.scale * scales
    bias = _bias(builder, node, unit, place(group.name, group.source, "Gemm"))
    builder.add_requantized(
        lambda requant: exact.MatMul(**fields(group, x.name), weight=weight, bias=bias, ending=requant),
        group,
        unit / group.output.scale,
    )
