"""Models of trained operators that each break one constraint, for test_constraints.py."""

from __future__ import annotations

import numpy as np
import onnx
from float_models import Array, model
from tinsmith.ir.domain import TRAINED_DOMAIN

DOMAIN = TRAINED_DOMAIN
WINDOW = "strides=[1,1], pads=[1,1,1,1], dilations=[1,1]"
SIGNS = np.ones((6, 4, 3, 3), np.int8)
COLUMNS = np.ones((8, 5), np.int8)
CODES = np.zeros((6, 4, 3, 3), np.uint8)


def vectors(channels: int) -> dict[str, Array]:
    """Constants t, s and b: a threshold, a scale and a bias."""
    return {"t": np.zeros((), np.float32), "s": np.ones(channels, np.float32), "b": np.zeros(channels, np.float32)}


def binary_conv(attributes: str = f"{WINDOW}, pad_value=1", *, before: str = "", **constants: Array) -> onnx.ModelProto:
    before = before or f"q = {DOMAIN}.Binarize (x, t)"
    body = f"{before}\n y = {DOMAIN}.BinaryConv <{attributes}> (q, w, s, b)"
    return model(body, **{**vectors(6), "w": SIGNS, **constants})


def binary_gemm(**constants: Array) -> onnx.ModelProto:
    body = f"q = {DOMAIN}.Binarize (x, t)\n y = {DOMAIN}.BinaryGemm (q, w, s, b)"
    return model(body, x=(1, 8), **{**vectors(5), "w": COLUMNS, **constants})


def shift_conv(attributes: str = f"{WINDOW}, group=1, bits=3", **constants: Array) -> onnx.ModelProto:
    body = f"y = {DOMAIN}.ShiftConv <{attributes}> (x, w, s, b)"
    return model(body, **{**vectors(6), "w": CODES, **constants})


CASES: dict[str, tuple[onnx.ModelProto, str, str]] = {
    "computed threshold": (
        model(f"r = Relu (x)\n y = {DOMAIN}.Binarize (x, r)"),
        "threshold_is_per_channel",
        "Binarize 'y': 'r' is not a constant",
    ),
    "threshold of every pixel": (
        model(f"y = {DOMAIN}.Binarize (x, t)", t=np.zeros((8, 8), np.float32)),
        "threshold_is_per_channel",
        "the threshold has shape [8, 8]",
    ),
    "binary layer of real values": (
        binary_conv(before="q = Relu (x)"),
        "input_is_bits",
        "BinaryConv 'y': 'q' is not proved to be ±1",
    ),
    "binary layer of a sum of bits": (
        binary_conv(before=f"z = {DOMAIN}.Binarize (x, t)\n q = Add (z, z)"),
        "input_is_bits",
        "'q' is not proved to be ±1",
    ),
    "weights of three values": (
        binary_conv(w=np.zeros((6, 4, 3, 3), np.int8)),
        "weights_are_signs",
        "'w' holds other values",
    ),
    "grouped binary convolution": (
        binary_conv(w=np.ones((6, 2, 3, 3), np.int8)),
        "convolution_fits_weights",
        "weight [6, 2, 3, 3]",
    ),
    "one stride for two axes": (
        binary_conv("strides=[1], pads=[1,1,1,1], dilations=[1,1], pad_value=1"),
        "convolution_fits_weights",
        "strides [1]",
    ),
    "padded with 2": (binary_conv(f"{WINDOW}, pad_value=2"), "pad_value_is_a_bit_or_nothing", "pad_value is 2"),
    "scale of another size": (
        binary_conv(s=np.ones(1, np.float32)),
        "scale_and_bias_are_per_channel",
        "'s' is not 6 float32 constants",
    ),
    "bias of another type": (
        binary_gemm(b=np.zeros(5, np.float64)),
        "scale_and_bias_are_per_channel",
        "'b' is not 5 float32 constants",
    ),
    "product of another size": (
        binary_gemm(w=np.ones((7, 5), np.int8)),
        "product_fits_weights",
        "weight [7, 5], input [1, 8]",
    ),
    "codes of five bits": (
        shift_conv(f"{WINDOW}, group=1, bits=5"),
        "codes_have_their_bits",
        "bits is 5",
    ),
    "codes beyond their bits": (
        shift_conv(w=np.full((6, 4, 3, 3), 8, np.uint8)),
        "codes_have_their_bits",
        "'w' holds codes of more than 3 bits",
    ),
}
