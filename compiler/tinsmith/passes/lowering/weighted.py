"""Lowers layers with weights: real, 1-bit or powers of two; the sum becomes 8 bit, or one bit."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from tinsmith.ir.exact import Int32Array
from tinsmith.numerics.ranges import weighted_accumulator
from tinsmith.numerics.requantize import INT32_MAX
from tinsmith.numerics.thresholds import Reals
from tinsmith.numerics.weights import HARMLESS
from tinsmith.passes.lowering.builder import Builder, place
from tinsmith.passes.lowering.products import Products, read_products
from tinsmith.passes.lowering.qdq import Group


def lower_weighted(builder: Builder, group: Group, node: ir.Node) -> None:
    """Conv, Gemm, BinaryConv, BinaryGemm, ShiftConv or ShiftGemm."""
    products = read_products(builder.tensors, group, node)
    make, unit = products.make, products.unit
    if group.makes_bits:
        no_bias = np.zeros(len(unit), np.int32)
        builder.add_thresholded(lambda ending: make(no_bias, ending), group, unit, products.bias)
        return
    if products.trained:
        unit = _raised_where_harmless(products, group.output.scale)
    bias = bias_steps(builder, products.bias, unit, place(group.name, group.source, node.op_type))
    builder.add_requantized(lambda ending: make(bias, ending), group, unit / group.output.scale)


def _raised_where_harmless(products: Products, output_scale: float) -> Reals:
    """Units of trained layers, raised where a channel's sum moves the output by next to nothing.

    A scale of zero has no multiplier, and a tiny one would cost the whole tensor 64-bit products.
    """
    sums = weighted_accumulator(products.rows, np.zeros(len(products.rows)), products.x)
    return np.maximum(products.unit, HARMLESS * output_scale / np.maximum(sums.magnitude, 1))


def bias_steps(builder: Builder, bias: Reals, unit: Reals, where: str) -> Int32Array:
    """round(bias / unit), unit being the real value of one step of each channel's accumulator."""
    steps = np.rint(bias / unit)
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
