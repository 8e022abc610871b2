"""Adds up the population counts of one register tile. Import this module only inside `Kernel.prim_func`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinsmith_backends.cpu.kernels.binary_counts import Counts, VectorCounts
from tinsmith_backends.cpu.kernels.vector import Expr, const, splat

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.binary_conv import BinaryConv

QUAD = 4
"""Channels whose counts are stored as one vector."""


class Sums:
    """The counts of one register tile: each output's, or each group's of outputs that are counted together.

    Carries are added in signed bytes, where counts are bytes; `flush` moves them to 16 bits before they run over. Every
    second carry comes complemented and is subtracted, which makes counts too small by `Chain.short`.
    """

    def __init__(self, counts: Counts, kernel: BinaryConv) -> None:
        self._counts, self._f, self._chain = counts, counts.f, kernel.chain
        self._rows, self._columns = kernel.tile.rows, kernel.tile.columns
        self._groups = self._columns // counts.group
        self._size = self._rows * self._groups
        self._ordered = kernel.lanes.ordered
        self._sums = self._f.registers(counts.element, counts.lanes, self._size)
        # Counts of the first channels of a group, as (count, channels), while the others are not there yet.
        self._waiting: dict[int, list[tuple[Expr, int]]] = {}
        # Whether all of an output's counts fit the lanes that carries are counted in.
        most = counts.bits * self._chain.vectors - self._chain.short(counts.bits)
        self._narrow = not isinstance(counts, VectorCounts) or most <= 127
        if not self._narrow:
            self._wide = self._f.registers("int16", counts.lanes // 2, self._size)

    def clear(self) -> None:
        """Begin with nothing in 16 bits; in front of a loop that flushes."""
        for i in range(self._size):
            self._wide[i] = splat(const(0, "int16"), self._counts.lanes // 2)

    def begin(self) -> None:
        """Count carries from here on."""
        for i in range(self._size):
            self._sums[i] = splat(const(0, self._counts.element), self._counts.lanes)

    def carry(self, output: tuple[int, int], value: Expr, *, complemented: bool) -> None:
        """Count one carry of an output (row, column)."""
        i, count = self._joined(output, value)
        if count is not None:
            _change(self._sums, i, count, complemented)
            if self._ordered:
                self._f.settle(self._sums[i])

    def _joined(self, output: tuple[int, int], value: Expr) -> tuple[int, Expr | None]:
        """The number of the output's group, and the count of the whole group if this was its last channel."""
        i = output[0] * self._groups + output[1] // self._counts.group
        parts = self._waiting.setdefault(i, [])
        parts.append((self._counts.count(value), 1))
        while len(parts) > 1 and parts[-1][1] == parts[-2][1]:
            (low, channels), (high, _) = parts[-2:]
            parts[-2:] = [(self._vectors.joined(low, high), 2 * channels)]
        return i, parts.pop()[0] if parts[0][1] == self._counts.group else None

    def flush(self, *, first: bool) -> None:
        """Add the bytes to the 16-bit sums; the `first` ones are all that is in them."""
        for i in range(self._size):
            wide = self._vectors.widen(self._sums[i])
            self._wide[i] = wide if first else self._wide[i] + wide

    def double(self) -> None:
        """Every sum, twice."""
        sums = self._sums if self._narrow else self._wide
        for i in range(self._size):
            sums[i] = sums[i] + sums[i]

    def add(self, vector: Callable[[tuple[int, int]], Expr], complemented: bool = False) -> None:
        """Count a vector of each output, behind the last flush."""
        for row in range(self._rows):
            for column in range(self._columns):
                i, count = self._joined((row, column), vector((row, column)))
                if count is None:
                    continue
                if self._narrow:
                    _change(self._sums, i, count, complemented)
                else:
                    _change(self._wide, i, self._vectors.widen(count), complemented)

    @property
    def _vectors(self) -> VectorCounts:
        if not isinstance(self._counts, VectorCounts):
            raise TypeError("one number is neither joined nor widened")
        return self._counts

    @property
    def narrow(self) -> bool:
        """Whether no flush is needed."""
        return self._narrow

    def store(self, scratch: Any, at: Expr, pitch: int) -> None:
        """Write the counts of each row to scratch[at + row * pitch:]."""
        for row in range(self._rows):
            first = row * self._groups
            if not isinstance(self._counts, VectorCounts):
                for column in range(self._columns):
                    scratch.store(at + (row * pitch + column), self._sums[first + column])
                continue
            each = QUAD // self._counts.group
            for quad in range(self._columns // QUAD):
                halves = [self._half(first + quad * each + i) for i in range(each)]
                scratch.store(at + (row * pitch + quad * QUAD), self._counts.quad(halves), QUAD)

    def _half(self, i: int) -> Expr:
        return self._f.let(self._vectors.widen(self._sums[i]) if self._narrow else self._wide[i], "halves")


def _change(sums: Any, i: int, count: Expr, complemented: bool) -> None:
    sums[i] = sums[i] - count if complemented else sums[i] + count
