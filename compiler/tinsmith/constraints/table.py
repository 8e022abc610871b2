"""Every operator that is taken, its constraints, and what becomes of it: the source of errors and docs/operators.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinsmith.constraints import arithmetic, curves, ending, general, grids, movement, trained, windows
from tinsmith.constraints.view import NodeView
from tinsmith.ir.domain import TRAINED_DOMAIN

Constraint = Callable[[NodeView], str | None]
"""Returns what is wrong with a node, naming the value, or None.

The first paragraph of its docstring is the rule, the second a way out.
"""


@dataclass(frozen=True)
class Operator:
    """One operator that is taken."""

    becomes: str
    """What the canonical passes make of it."""
    constraints: tuple[Constraint, ...] = ()
    domain: str = ""
    """Empty for the standard one."""


EVERY: tuple[Constraint, ...] = (
    general.values_are_float32,
    general.constants_are_finite_float32,
    general.values_are_not_empty,
    general.has_one_output,
)
"""Constraints of every operator."""

_POOL: tuple[Constraint, ...] = (
    general.is_an_image,
    windows.pads_are_not_negative,
    windows.padding_is_smaller_than_the_kernel,
)
_CONVOLUTION: tuple[Constraint, ...] = (
    general.is_an_image,
    trained.convolution_fits_weights,
    windows.pads_are_not_negative,
)
_NEIGHBOUR = "folded into a neighbouring layer, else a Mul and an Add of one number a channel"

OPERATORS: dict[str, Operator] = {
    "Abs": Operator("part of a ReduceMean", (arithmetic.magnitudes_are_averaged,)),
    "Add": Operator(
        f"Add of two values; a constant is {_NEIGHBOUR}",
        (arithmetic.operands_have_one_shape, arithmetic.constant_is_per_channel),
    ),
    "ArgMax": Operator(
        "ArgMax along the last axis",
        (ending.axis_is_the_last, ending.result_is_the_output, ending.first_of_equals_wins),
    ),
    "AveragePool": Operator(
        "AveragePool",
        (*_POOL, windows.average_counts_padding, windows.average_has_no_overhang, windows.window_size_is_clear),
    ),
    "BatchNormalization": Operator(
        _NEIGHBOUR,
        (
            arithmetic.normalization_is_for_inference,
            arithmetic.normalization_has_channels,
            arithmetic.variance_is_positive,
        ),
    ),
    "Binarize": Operator(
        "bits; max-pools and moves behind it work on bits", (trained.threshold_is_per_channel,), TRAINED_DOMAIN
    ),
    "BinaryConv": Operator(
        "BinaryConv of bits by bits, with scale and bias",
        (
            *_CONVOLUTION,
            trained.input_is_bits,
            trained.weights_are_signs,
            trained.pad_value_is_a_bit_or_nothing,
            trained.scale_and_bias_are_per_channel,
        ),
        TRAINED_DOMAIN,
    ),
    "BinaryGemm": Operator(
        "BinaryGemm of bits by bits, with scale and bias",
        (
            trained.product_fits_weights,
            trained.input_is_bits,
            trained.weights_are_signs,
            trained.scale_and_bias_are_per_channel,
        ),
        TRAINED_DOMAIN,
    ),
    "Cast": Operator("nothing", (movement.cast_keeps_the_type,)),
    "CastLike": Operator("nothing", (movement.cast_keeps_the_type,)),
    "Clip": Operator("Clip, or Relu", (arithmetic.bounds_are_constant,)),
    "Concat": Operator("Concat", (movement.joins_computed_values,)),
    "Conv": Operator(
        "Conv with bias and explicit padding",
        (
            general.is_an_image,
            windows.weights_are_constant,
            windows.kernel_fits_weights,
            windows.pads_are_not_negative,
        ),
    ),
    "ConvTranspose": Operator(
        "Conv with a channel for each phase of the stride, Reshape, Transpose, Reshape; "
        "a Conv that crops where the stride does not divide the output's size",
        (
            general.is_an_image,
            windows.weights_are_constant,
            windows.transposed_kernel_fits_weights,
            windows.pads_are_not_negative,
            windows.transposed_pads_are_explicit,
        ),
    ),
    "DequantizeLinear": Operator(
        "the grid of a value, which is kept", (grids.grid_is_constant, grids.reads_what_was_quantized)
    ),
    "Div": Operator(
        f"{_NEIGHBOUR}; Mul by a constant that varies over positions",
        (
            arithmetic.one_operand_is_constant,
            arithmetic.factor_broadcasts_to_the_other,
            arithmetic.divisor_is_not_zero,
        ),
    ),
    "Dropout": Operator("nothing", (movement.dropout_is_for_inference,)),
    "Flatten": Operator("Reshape"),
    "Gemm": Operator(
        "Gemm of (M, K) by (K, N), with bias",
        (
            arithmetic.product_is_by_a_constant_matrix,
            arithmetic.left_side_is_not_transposed,
            arithmetic.bias_is_per_column,
        ),
    ),
    "GlobalAveragePool": Operator("AveragePool over the whole image", (general.is_an_image,)),
    "GlobalMaxPool": Operator("MaxPool over the whole image", (general.is_an_image,)),
    "Identity": Operator("nothing"),
    "LeakyRelu": Operator("PRelu"),
    "MatMul": Operator("Gemm, between Reshapes where needed", (arithmetic.product_is_by_a_constant_matrix,)),
    "MaxPool": Operator("MaxPool", (*_POOL, windows.indices_are_row_major, windows.window_size_is_clear)),
    "Mul": Operator(
        f"Mul of two values, or by a constant that varies over positions; else {_NEIGHBOUR}",
        (arithmetic.factor_broadcasts_to_the_other,),
    ),
    "Pad": Operator("padding of the Conv or pool that follows, else a 1×1 Conv", (movement.pads_with_zeros,)),
    "PRelu": Operator("PRelu with one slope a channel", (arithmetic.slope_is_per_channel,)),
    "QuantizeLinear": Operator("the grid of a value, which is kept", (grids.grid_is_constant, grids.is_dequantized)),
    "ReduceMean": Operator("AveragePool and Reshape; behind Abs, ReduceMean", (windows.reduces_height_or_width,)),
    "Relu": Operator("Relu"),
    "Reshape": Operator("Reshape", (movement.shape_is_constant,)),
    "ShiftConv": Operator(
        "ShiftConv by ± powers of two, with scale and bias",
        (*_CONVOLUTION, trained.codes_have_their_bits, trained.scale_and_bias_are_per_channel),
        TRAINED_DOMAIN,
    ),
    "ShiftGemm": Operator(
        "ShiftGemm by ± powers of two, with scale and bias",
        (trained.product_fits_weights, trained.codes_have_their_bits, trained.scale_and_bias_are_per_channel),
        TRAINED_DOMAIN,
    ),
    "Slice": Operator("1×1 Conv with a stride", (movement.slices_channels_or_every_nth_pixel,)),
    "Softmax": Operator("Softmax along the last axis", (ending.axis_is_the_last, ending.result_is_the_output)),
    "Squeeze": Operator("Reshape", (movement.shape_is_constant,)),
    "Sub": Operator(_NEIGHBOUR, (arithmetic.one_operand_is_constant, arithmetic.constant_is_per_channel)),
    "Transpose": Operator("Transpose"),
    "Unsqueeze": Operator("Reshape", (movement.shape_is_constant,)),
    **dict.fromkeys(
        (*curves.CURVED, *curves.CONDITIONS, "Neg"),
        Operator("Table of 256 results, with its neighbours", (arithmetic.makes_one_value_of_one,)),
    ),
}

_CONTROL = "control flow depends on values at run time; the plan of a device build is fixed"
_RECURRENT = "recurrent layers are not taken yet"
_INTEGER = "of quantized models, those in QDQ form are taken: QuantizeLinear and DequantizeLinear around float layers"

REFUSED: dict[str, str] = {
    **dict.fromkeys(("If", "Loop", "Scan"), _CONTROL),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _RECURRENT),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"), _INTEGER),
    "LogSoftmax": "end with Softmax, or with the logits themselves",
    "Resize": "scaling of images is not taken yet",
}
"""Reasons for operators that people often try; every other one is simply not in the table."""
