"""What the accelerator is told to do, before anything has an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np
import numpy.typing as npt
from tinsmith.ir.exact import Int8Array, Int32Array, UInt8Array


@dataclass(frozen=True)
class View:
    """Where the values of an image stand inside a buffer: height x width pixels of channels, channels innermost.

    Attributes:
        offset: of the first byte from the start of the buffer.
        row_bytes: from one row to the next.
        pixel_bytes: from one pixel to the next.
        signed: bytes are int8, else uint8.
        bits: of a value: 8; 16, low byte first; 32 of accumulators; 1 where eight channels stand in a byte, 1 is -1.
        zero: the zero point: the stored value that means 0.
    """

    buffer: str
    height: int
    width: int
    channels: int
    offset: int
    row_bytes: int
    pixel_bytes: int
    signed: bool
    bits: int = 8
    zero: int = 0

    @property
    def run_bytes(self) -> int:
        """Of the channels of a pixel."""
        return ceil(self.channels * self.bits / 8)

    @property
    def end(self) -> int:
        """The byte behind its last, from the start of the buffer."""
        return self.offset + (self.height - 1) * self.row_bytes + (self.width - 1) * self.pixel_bytes + self.run_bytes

    @property
    def size(self) -> int:
        """Values."""
        return self.height * self.width * self.channels

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest byte."""
        return (-128, 127) if self.signed else (0, 255)

    @property
    def bytes(self) -> View:
        """The same bytes as channels of their own."""
        return replace(self, channels=self.run_bytes, bits=8, signed=self.signed and self.bits == 8)

    def part(self, first: int, count: int) -> View:
        """Channels `first` to `first + count - 1` of every pixel."""
        return replace(self, offset=self.offset + first * self.bits // 8, channels=count)


@dataclass(frozen=True)
class Operation:
    """A compute descriptor, or several that share its output channels between them.

    Attributes:
        layer: the layer of the exact graph that it does, or does a part of.
        kernel: what it is, for people.
        output: what it makes.
        fields: of the descriptor, but for addresses and what splitting decides.
        weights: bytes (groups or 1, words, elements, lanes), in the chip's code: every group's, or one for all.
        parameters: int32 (groups, elements, 2): bias and multiplier of each output channel; no groups if not read.
        group: output channels of a group.
        groups: how many there are.
        steps: clocks of one output of one group, if nothing waits.
        macs: useful multiply-accumulates.
        window: rows and columns of the input's pixels that an output depends on, `dilation` apart.
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
    window: tuple[int, int] = (1, 1)
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


def reads(work: Work) -> tuple[View, ...]:
    """One input, or two."""
    return (work.input,) if work.second is None else (work.input, work.second)


def views(work: Work) -> tuple[View, ...]:
    """Inputs and output."""
    return *reads(work), work.output


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
