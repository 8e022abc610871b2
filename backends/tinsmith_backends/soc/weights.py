"""Weights as the elements read them: in words of a byte a lane, each byte in the code of the chip's arithmetic."""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import Int8Array, Int16Array

from tinsmith_backends.soc.chip import MULTIPLY, SHIFT, XNOR, Chip

Weights = Int16Array
"""True values: those of shifts reach 128."""
LARGEST_SHIFT = 7
THERE = 1 << 4
"""Bit of a shift's code that tells it from a weight of 0."""


def are_products(weight: Weights, chip: Chip) -> bool:
    """Whether the elements have products by all of these weights."""
    values = np.abs(weight)
    if chip.kind == SHIFT:
        return bool(np.all((values & (values - 1) == 0) & (values <= 1 << LARGEST_SHIFT)))
    return chip.kind == MULTIPLY and bool(np.all((weight >= -128) & (weight <= 127)))


def coded(weight: Weights, chip: Chip) -> Int8Array:
    """A byte for each weight; for bits, a byte for each eight of the last axis, the first lowest."""
    if chip.kind == XNOR:
        return _packed(weight)
    if chip.kind == SHIFT:
        return _shifts(weight)
    return weight.astype(np.int8)


def unused_bits(channels: int) -> int:
    """Bits of a pixel's last byte that are no channel."""
    return -channels % 8


def dense_weights(weight: Weights, chip: Chip, *, merged: bool, wide: bool) -> Int8Array:
    """(groups, words, elements, lanes) of a convolution's (outputs, inputs, kh, kw).

    A window's row is one run of its kw pixels where `merged`, else kw runs of a pixel; runs end at a word. Both
    bytes of inputs of 16 bits (`wide`) have the same weight.
    """
    outputs, _, kh, kw = weight.shape
    pixels = coded(weight.transpose(0, 2, 3, 1), chip).repeat(1 + wide, axis=-1)
    rows = pixels.reshape(outputs, kh, 1 if merged else kw, -1)
    run = ceil(rows.shape[-1] / chip.lanes) * chip.lanes
    groups = ceil(outputs / chip.pes)
    padded = np.zeros((groups * chip.pes, kh, rows.shape[2], run), np.int8)
    padded[:outputs, :, :, : rows.shape[-1]] = rows
    words = padded.reshape(groups, chip.pes, -1, chip.lanes)
    return np.ascontiguousarray(words.transpose(0, 2, 1, 3))


def tap_weights(weight: Weights, chip: Chip, group: int) -> Int8Array:
    """(groups, kh * kw, elements, lanes) of filters (channels, kh, kw): lane p of element p has its channel's tap.

    Where products are of bits, filters are of +1 and -1, and lane 0 says which. Where a group has less channels than a
    word has bytes, they are of 16 bits, and both of their bytes have the tap.
    """
    channels, kh, kw = weight.shape
    groups = ceil(channels / group)
    padded = np.zeros((groups * group, kh * kw), np.int8)
    taps, bits = weight.reshape(channels, -1), chip.kind == XNOR
    padded[:channels] = taps < 0 if bits else coded(taps, chip)
    words = np.zeros((groups, kh * kw, chip.pes, chip.lanes), np.int8)
    each, size = np.arange(group), chip.vector // group
    for byte in range(size):
        words[:, :, each, 0 if bits else size * each + byte] = padded.reshape(groups, group, -1).transpose(0, 2, 1)
    return words


def history_weights(weight: Weights, chip: Chip) -> Int8Array:
    """(groups, kh, elements, lanes) of filters (channels, kh, kw): lane 0 has a row's last tap."""
    channels, kh, kw = weight.shape
    groups = ceil(channels / chip.vector)
    padded = np.zeros((groups * chip.vector, kh, kw), np.int8)
    padded[:channels] = coded(weight[:, :, ::-1], chip)
    words = np.zeros((groups, kh, chip.pes, chip.lanes), np.int8)
    words[:, :, : chip.vector, :kw] = padded.reshape(groups, chip.vector, kh, kw).transpose(0, 2, 1, 3)
    return words


def _shifts(weight: Weights) -> Int8Array:
    """1 << 4 | sign << 3 | S for ±2**S; 0 for 0."""
    values = np.abs(weight)
    exponent = np.searchsorted(1 << np.arange(LARGEST_SHIFT + 1), values)
    code = np.where(values, THERE | (weight < 0) << 3 | exponent, 0)
    return code.astype(np.int8)


def _packed(weight: Weights) -> Int8Array:
    """Bits, 1 for -1. Of those that are no channel every second is 1: so they add nothing, or 1 where they are odd."""
    unused = unused_bits(weight.shape[-1])
    rest: npt.NDArray[np.bool_] = np.broadcast_to(np.arange(unused) % 2 == 1, (*weight.shape[:-1], unused))
    return np.packbits(np.concatenate([weight < 0, rest], axis=-1), axis=-1, bitorder="little").view(np.int8)
