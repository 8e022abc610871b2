"""What the accelerator is told to do, before anything has an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import Int8Array, Int32Array, UInt8Array

from tinsmith_backends.soc.chip import Chip


@dataclass(frozen=True)
class View:
    """Where the values of an image stand inside a buffer: height x width pixels of channels, channels innermost.

    Attributes:
        offset: of the first byte from the start of the buffer.
        row_bytes: from one row to the next.
        pixel_bytes: from one pixel to the next.
        signed: bytes are int8, else uint8.
    """

    buffer: str
    height: int
    width: int
    channels: int
    offset: int
    row_bytes: int
    pixel_bytes: int
    signed: bool

    @property
    def packed(self) -> bool:
        """Whether the bytes stand without gaps."""
        return self.pixel_bytes == self.channels and self.row_bytes == self.width * self.pixel_bytes

    @property
    def size(self) -> int:
        """Values."""
        return self.height * self.width * self.channels

    def part(self, first: int, count: int) -> View:
        """Channels `first` to `first + count - 1` of every pixel."""
        return replace(self, offset=self.offset + first, channels=count)


@dataclass(frozen=True)
class Operation:
    """A compute descriptor, or several that share its output channels between them.

    Attributes:
        layer: the layer of the exact graph that it does, or does a part of.
        kernel: what it is, for people.
        output: what it makes; `value_bytes` a channel.
        fields: of the descriptor, but for addresses and what splitting decides.
        weights: int8 (groups or 1, words, elements, lanes): every group's, or one for all.
        parameters: int32 (groups, elements, 2): bias and multiplier of each output channel; no groups if not read.
        group: output channels of a group.
        groups: how many there are.
        steps: clocks of one output of one group, if nothing waits.
        macs: useful multiply-accumulates.
        value_bytes: bytes of an output value: 4 for accumulators.
        table: (256,) uint8, what its requantized bytes become; empty where they stay what they are.
    """

    layer: str
    kernel: str
    input: View
    second: View | None
    output: View
    fields: Mapping[str, int]
    weights: Int8Array
    parameters: Int32Array
    group: int
    groups: int
    steps: int
    macs: int = 0
    value_bytes: int = 1
    table: UInt8Array = field(default_factory=lambda: np.zeros(0, np.uint8))

    def looked_up(self, table: UInt8Array) -> Operation:
        """The same with a table behind it."""
        kernel = self.kernel if self.kernel == "table" else f"{self.kernel} with table"
        return replace(self, kernel=kernel, fields={**self.fields, "look_up": 1}, table=table)

    @property
    def opcode(self) -> int:
        """Of the descriptor."""
        return self.fields["opcode"]

    @property
    def own_weights(self) -> bool:
        """Whether each group has weights of its own."""
        return bool(self.fields.get("w_per_group", 0))

    @property
    def words(self) -> int:
        """Weight words of a group."""
        return int(self.weights.shape[1])


@dataclass(frozen=True)
class Software:
    """A step that the firmware does: the fields of its record, without addresses, and its table."""

    layer: str
    input: View
    second: View | None
    output: View
    fields: Mapping[str, int]
    table: Int32Array = field(default_factory=lambda: np.zeros(0, np.int32))
    kernel: str = "firmware"
    macs: int = 0


Work = Operation | Software


def per_group(values: npt.NDArray[np.int32], group: int, elements: int) -> npt.NDArray[np.int32]:
    """A value for each output channel as (groups, elements): element p of group g has channel g * group + p, else 0."""
    groups = ceil(values.size / group)
    padded = np.zeros(groups * group, np.int32)
    padded[: values.size] = values
    result = np.zeros((groups, elements), np.int32)
    result[:, :group] = padded.reshape(groups, group)
    return result


def parameters(bias: Int32Array, multiplier: Int32Array, group: int, elements: int) -> Int32Array:
    """(groups, elements, 2) of bias and multiplier, one each a channel."""
    pair = (per_group(bias, group, elements), per_group(multiplier, group, elements))
    return np.stack(pair, axis=-1)


def dense_weights(weight: Int8Array, chip: Chip, *, merged: bool) -> Int8Array:
    """(groups, words, elements, lanes) of a convolution's (outputs, inputs, kh, kw).

    A window's row is one run of kw * inputs bytes where `merged`, else kw runs of `inputs` bytes; runs end at a word.
    """
    outputs, inputs, kh, kw = weight.shape
    rows = weight.transpose(0, 2, 3, 1).reshape(outputs, kh, -1, kw * inputs if merged else inputs)
    run = ceil(rows.shape[-1] / chip.lanes) * chip.lanes
    groups = ceil(outputs / chip.pes)
    padded = np.zeros((groups * chip.pes, kh, rows.shape[2], run), np.int8)
    padded[:outputs, :, :, : rows.shape[-1]] = rows
    words = padded.reshape(groups, chip.pes, -1, chip.lanes)
    return np.ascontiguousarray(words.transpose(0, 2, 1, 3))


def tap_weights(weight: Int8Array, chip: Chip) -> Int8Array:
    """(groups, kh * kw, elements, lanes) of filters (channels, kh, kw): lane p of element p has its channel's tap."""
    channels, kh, kw = weight.shape
    groups = ceil(channels / chip.vector)
    padded = np.zeros((groups * chip.vector, kh * kw), np.int8)
    padded[:channels] = weight.reshape(channels, -1)
    words = np.zeros((groups, kh * kw, chip.pes, chip.lanes), np.int8)
    each = np.arange(chip.vector)
    words[:, :, each, each] = padded.reshape(groups, chip.vector, -1).transpose(0, 2, 1)
    return words


def history_weights(weight: Int8Array, chip: Chip) -> Int8Array:
    """(groups, kh, elements, lanes) of filters (channels, kh, kw): lane 0 has a row's last tap."""
    channels, kh, kw = weight.shape
    groups = ceil(channels / chip.vector)
    padded = np.zeros((groups * chip.vector, kh, kw), np.int8)
    padded[:channels] = weight[:, :, ::-1]
    words = np.zeros((groups, kh, chip.pes, chip.lanes), np.int8)
    words[:, :, : chip.vector, :kw] = padded.reshape(groups, chip.vector, kh, kw).transpose(0, 2, 1, 3)
    return words
