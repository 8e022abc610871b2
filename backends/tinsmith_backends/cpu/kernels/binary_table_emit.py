"""The code of kernels/binary_table.py. Import this module only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith_backends.cpu.kernels.binary_emit import BinaryConvEmitter
from tinsmith_backends.cpu.kernels.binary_gather import BinaryGather
from tinsmith_backends.cpu.kernels.binary_table import ROOM, TABLES, VECTOR
from tinsmith_backends.cpu.kernels.vector import (
    Expr,
    Registers,
    bits_as,
    cast,
    concat,
    const,
    llvm,
    minimum,
    shuffle,
    splat,
)

if TYPE_CHECKING:
    from tinsmith_backends.cpu.kernels.binary_table import BinaryTable


class BinaryTableEmitter(BinaryConvEmitter):
    """Emits one kernel. The places of tables in scratch, and the weights, are written and read as bytes."""

    kernel: BinaryTable

    def __init__(self, kernel: BinaryTable) -> None:
        super().__init__(kernel)
        self.places, self.bytes = self.f.view(self.k.scratch, "uint8"), self.f.view(self.k.w, "int8")
        self.low = self.f.let(splat(const(15, "uint8"), VECTOR), "low")

    def gather(self) -> BinaryGather:
        """Places of tables behind each window, in place of its prefix XORs."""
        return _Places(self)

    def halves(self, value: Expr) -> list[Expr]:
        """The low and the high four bits of each of 32 uint8."""
        f = self.f
        return [f.let(value & self.low, "half"), f.let((value >> splat(const(4, "uint8"), VECTOR)) & self.low, "half")]

    def places_of(self, place: Expr) -> Expr:
        """Index in `places` of window number `place`: those of all low halves, then those of all high ones."""
        return 4 * self.kernel.window_words * (1 + 2 * place)

    def block(self, block: Expr, tile: Expr) -> None:
        """The counts of some pixels and of one block of channels."""
        f, kernel = self.f, self.kernel
        rows, columns, size = kernel.tile.rows, kernel.tile.columns, kernel.window_bytes
        counts_at = f.let(kernel.counts_at + tile * (rows * kernel.pitch) + block * columns, "counts_at")
        w_at = f.let(TABLES + block * (columns * size), "w_at")
        x_at = [f.let(self.places_of(tile * rows + row), "x_at") for row in range(rows)]
        for row in range(rows):
            for channel in range(0, columns, 8):
                self.scratch.store(counts_at + (row * kernel.pitch + channel), splat(const(0, "uint32"), 8), 8)
        parts = -(-size // ROOM)
        most = -(-size // parts)
        vectors = columns // VECTOR
        sums = f.registers("uint8", VECTOR, rows * vectors)
        with f.loop(parts, "part") as part:
            for i in range(rows * vectors):
                sums[i] = splat(const(0, "uint8"), VECTOR)
            first = f.let(part * most, "first")
            count = most if size % most == 0 else f.let(minimum(const(most), size - first), "count")
            with f.loop(count, "byte") as number:
                at = f.let(first + number, "at")
                self._byte(sums, f.let(w_at + at * columns, "weights"), [f.let(x + at, "x") for x in x_at])
            for i in range(rows * vectors):
                self._flush(sums[i], counts_at + (i // vectors * kernel.pitch + i % vectors * VECTOR))

    def _byte(self, sums: Registers, w_at: Expr, x_at: list[Expr]) -> None:
        """The products of one byte of the window."""
        f, vectors = self.f, self.kernel.tile.columns // VECTOR
        for half in (0, 1):
            weights = []
            for i in range(vectors):
                loaded = f.let(self.bytes.load_bits(w_at + i * VECTOR, f"uint8x{VECTOR}", VECTOR), "w")
                weights.append(bits_as(f"int8x{VECTOR}", self.halves(loaded)[half]))
            for row, x in enumerate(x_at):
                place = f.let(cast("int32", self.places.load(x + half * (4 * self.kernel.window_words))), "place")
                table = f.let(self.bytes.load(place * 8, 16), "table")
                for i in range(vectors):
                    found = llvm(f"int8x{VECTOR}", "llvm.x86.avx2.pshuf.b", concat(table, table, 16), weights[i])
                    sums[row * vectors + i] = sums[row * vectors + i] + bits_as(f"uint8x{VECTOR}", found)

    def _flush(self, value: Expr, at: Expr) -> None:
        """Add 32 counts of a byte to those in scratch."""
        total = self.f.let(value, "sum")
        for i in range(0, VECTOR, 8):
            wide = cast("uint32x8", shuffle(total, range(i, i + 8)))
            self.scratch.store(at + i, self.scratch.load(at + i, 8) + wide, 8)


class _Places(BinaryGather):
    """One window at a time; of each half byte of it half the offset of its table, which fits a byte."""

    def __init__(self, emitter: BinaryTableEmitter) -> None:
        super().__init__(emitter.f, emitter.k, emitter.scratch, emitter.kernel)
        self._emitter = emitter

    def window(self, pixel: Expr, place: Expr) -> None:
        """The places of the window of an output pixel, as number `place`."""
        f, emitter, size = self._f, self._emitter, self._kernel.window_words
        self._copy.window(pixel, const(0))
        to = f.let(emitter.places_of(place), "places")
        with f.loop(size // 8, "vector") as vector:
            gathered = f.let(bits_as(f"uint8x{VECTOR}", self._scratch.load(vector * 8, 8)), "gathered")
            for half, value in enumerate(emitter.halves(gathered)):
                emitter.places.store(to + vector * VECTOR + half * 4 * size, value + value, VECTOR)
