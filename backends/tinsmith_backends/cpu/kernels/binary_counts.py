"""Population counts and their sums on each instruction set.

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.binary_lanes import LANES
from tinsmith_backends.cpu.kernels.vector import Expr, Function, bits_as, const, llvm, shuffle, splat

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv

QUAD = 4
"""Channels whose counts are stored as one vector."""


class Counts:
    """The operations of one instruction set. Vectors of bits are uint32; counts are bytes, or one number if scalar."""

    def __init__(self, f: Function, isa: Isa) -> None:
        self.f, self.lanes = f, LANES[isa]
        self.width = self.lanes.words
        self._isa = isa

    def select(self, condition: Expr, if_one: Expr, if_zero: Expr) -> Expr:
        """Bit by bit."""
        ones = splat(const(0xFFFFFFFF, "uint32"), self.width)
        return (condition & if_one) | ((condition ^ ones) & if_zero)

    def number(self, value: int) -> Expr:
        """A count that is the same in every lane."""
        return const(value, "uint32") if self.width == 1 else splat(const(value & 0xFF, "uint8"), 4 * self.width)

    def count(self, values: list[Expr]) -> Expr:
        """Counts of the ones in the vectors of a group, as bytes; which bytes are whose is known to `quad`."""
        return _count_word(self.f, values[0])


def _count_word(f: Function, word: Expr) -> Expr:
    """The ones in 32 bits, in plain arithmetic."""

    def masked(value: Expr, mask: int) -> Expr:
        return value & const(mask, "uint32")

    def down(value: Expr, shift: int) -> Expr:
        return value >> const(shift, "uint32")

    pairs = f.let(word - masked(down(word, 1), 0x55555555), "pairs")
    nibbles = f.let(masked(pairs, 0x33333333) + masked(down(pairs, 2), 0x33333333), "nibbles")
    each = f.let(masked(nibbles + down(nibbles, 4), 0x0F0F0F0F), "bytes")
    return f.let(down(each * const(0x01010101, "uint32"), 24), "ones")


class Sums:
    """The counts of one register tile.

    Carries are added in bytes. `flush` moves them to 16 bits, where their number asks for it. Every second carry comes
    complemented and is subtracted: the bytes begin with the constant that makes up for that.
    """

    def __init__(self, counts: Counts, kernel: BinaryConv) -> None:
        self._counts, self._f, self._chain = counts, counts.f, kernel.chain
        self._rows, self._columns, self._group = kernel.tile.rows, kernel.tile.columns, kernel.lanes.group
        self._per_row = self._columns // self._group
        # Bits that one count covers.
        self._bits = 32 if counts.width == 1 else 8 * self._group
        element = ("uint32", 1) if counts.width == 1 else ("uint8", 4 * counts.width)
        self._sums = self._f.registers(*element, self._rows * self._per_row)
        self._group_values: dict[tuple[int, int], list[Expr]] = {}

    def begin(self, steps: int, *, last: bool = False) -> None:
        """Bytes from which the carries of `steps` steps are counted; the last ones make up for states as well."""
        levels = self._chain.levels
        start = (steps >> levels) // 2 * self._bits
        if last:
            start += self._chain.missing(self._bits) >> (levels + 1)
        for i in range(self._rows * self._per_row):
            self._sums[i] = self._counts.number(start)

    def carry(self, output: tuple[int, int], value: Expr, *, complemented: bool) -> None:
        """Count one carry of an output (row, column)."""
        row, group = output[0], output[1] // self._group
        values = self._group_values.setdefault((row, group), [])
        values.append(value)
        if len(values) == self._group:
            self._change(row * self._per_row + group, self._counts.count(values), complemented)
            values.clear()

    def _change(self, i: int, count: Expr, complemented: bool) -> None:
        self._sums[i] = self._sums[i] - count if complemented else self._sums[i] + count

    def double(self) -> None:
        """Every sum, twice."""
        for i in range(self._rows * self._per_row):
            self._sums[i] = self._sums[i] + self._sums[i]

    def add(self, vector: Callable[[tuple[int, int]], Expr], complemented: bool = False) -> None:
        """Count a vector of each output."""
        for row in range(self._rows):
            for group in range(self._per_row):
                columns = range(group * self._group, (group + 1) * self._group)
                count = self._counts.count([vector((row, column)) for column in columns])
                self._change(row * self._per_row + group, count, complemented)

    def flush(self, *, first: bool) -> None:
        """Move the bytes to 16 bits."""

    def store(self, scratch: Any, at: Expr, pitch: int) -> None:
        """Write the counts of each row to scratch[at + row * pitch:]."""
        for row in range(self._rows):
            for column in range(self._columns):
                scratch.store(at + (row * pitch + column), self._sums[row * self._per_row + column])
