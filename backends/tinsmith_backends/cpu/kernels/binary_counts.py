"""Population counts on each instruction set, and how they become one number a channel.

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from collections.abc import Sequence

from tvm import tirx

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.binary_lanes import LANES
from tinsmith_backends.cpu.kernels.isa import NEON
from tinsmith_backends.cpu.kernels.neon import long_pairs, pairs
from tinsmith_backends.cpu.kernels.vector import Expr, Function, bits_as, const, llvm, shuffle, splat


class Counts:
    """The operations of one instruction set without vectors. Bits are uint32; a count is one number of 32 bits.

    Attributes:
        element, lanes: the type of a count, which is bytes where there are vectors.
        bits: bits that one lane of a count covers.
    """

    element, lanes, bits = "uint32", 1, 32

    def __init__(self, f: Function, isa: Isa) -> None:
        self.f, self.group, self.width = f, LANES[isa].group, LANES[isa].words

    def select(self, condition: Expr, if_one: Expr, if_zero: Expr) -> Expr:
        """Bit by bit. Written without a NOT, which LLVM would move into the operands of `condition`."""
        return ((if_one ^ if_zero) & condition) ^ if_zero

    def count(self, value: Expr) -> Expr:
        """The ones in a vector of bits."""
        return count_word(self.f, value)


def count_word(f: Function, word: Expr) -> Expr:
    """The ones in a uint32, in plain arithmetic."""

    def masked(value: Expr, mask: int) -> Expr:
        return value & const(mask, "uint32")

    def down(value: Expr, shift: int) -> Expr:
        return value >> const(shift, "uint32")

    pairs = f.let(word - masked(down(word, 1), 0x55555555), "pairs")
    nibbles = f.let(masked(pairs, 0x33333333) + masked(down(pairs, 2), 0x33333333), "nibbles")
    each = f.let(masked(nibbles + down(nibbles, 4), 0x0F0F0F0F), "bytes")
    return f.let(down(each * const(0x01010101, "uint32"), 24), "ones")


class VectorCounts(Counts):
    """The operations of an instruction set with vectors: counts are signed bytes, which `widen` adds to 16 bits.

    What `count` and `widen` give keeps neighbours of one channel together, so `quad` can add them up.
    """

    element = "int8"

    def __init__(self, f: Function, isa: Isa) -> None:
        super().__init__(f, isa)
        self.lanes, self.bits = 4 * self.width, 8 * self.group
        self._isa: Isa = isa
        self._bytes, self._halves = f"int8x{self.lanes}", f"int16x{self.lanes // 2}"

    def count(self, value: Expr) -> Expr:
        """The ones in each byte."""
        count = llvm(self._bytes, f"llvm.ctpop.v{self.lanes}i8", bits_as(self._bytes, value))
        return self.f.let(count, "count")

    def joined(self, low: Expr, high: Expr) -> Expr:
        """Counts of two channels, or groups of them, in one vector; where a group has more than one."""
        raise NotImplementedError

    def widen(self, count: Expr) -> Expr:
        """Sums of neighbouring bytes, in 16 bits."""
        raise NotImplementedError

    def quad(self, halves: Sequence[Expr]) -> Expr:
        """The sums of four channels, as uint32x4."""
        raise NotImplementedError


class NeonCounts(VectorCounts):
    """`cnt`, and additions of neighbours: a group of four channels fills a vector."""

    def joined(self, low: Expr, high: Expr) -> Expr:
        """`addp`."""
        return pairs(self.f, self._isa, low, high)

    def widen(self, count: Expr) -> Expr:
        """`saddlp`, or `sadalp` where it is added to something."""
        return long_pairs(self._isa, count)

    def quad(self, halves: Sequence[Expr]) -> Expr:
        """Two halves a channel."""
        return bits_as("uint32x4", long_pairs(self._isa, halves[0]))


class Neon32Counts(VectorCounts):
    """A vector of each channel, since 32-bit ARM adds neighbours in halves of vectors only."""

    def select(self, condition: Expr, if_one: Expr, if_zero: Expr) -> Expr:
        """`vbsl`, which LLVM does not make of the form in plain logic."""
        return llvm(f"uint32x{self.width}", "llvm.arm.neon.vbsl.v4i32", condition, if_one, if_zero)

    def widen(self, count: Expr) -> Expr:
        """`vpaddl`."""
        return long_pairs(self._isa, count)

    def quad(self, halves: Sequence[Expr]) -> Expr:
        """Eight halves a channel."""
        sums = [self.f.let(long_pairs(self._isa, half), "sums") for half in halves]
        low, high = (pairs(self.f, self._isa, *sums[i : i + 2]) for i in (0, 2))
        return bits_as("uint32x4", pairs(self.f, self._isa, low, high))


class _TransposedCounts(VectorCounts):
    """Vectors of one channel each: four of them are added while they are transposed."""

    def _across(self, a: Expr, b: Expr, low: Sequence[int], high: Sequence[int]) -> Expr:
        """Sums of two interleavings of 32-bit lanes of a and b, as 16-bit lanes."""
        f, words = self.f, f"int32x{self.width}"
        pair = [f.let(bits_as(words, value), "half") for value in (a, b)]
        parts = [
            bits_as(self._halves, f.let(tirx.Shuffle(pair, [const(i) for i in self._lanes(order)]), "part"))
            for order in (low, high)
        ]
        return f.let(parts[0] + parts[1], "across")

    def _lanes(self, order: Sequence[int]) -> list[int]:
        """The same order of four lanes in each 128 bits; lanes from 4 on are those of the second vector."""
        return [i % 4 + block + (self.width if i >= 4 else 0) for block in range(0, self.width, 4) for i in order]

    def quad(self, halves: Sequence[Expr]) -> Expr:
        """First pairs of channels, then the pairs, then the two halves of each channel."""
        pairs = [self._across(halves[i], halves[i + 1], (0, 4, 1, 5), (2, 6, 3, 7)) for i in (0, 2)]
        return self._last(self._across(pairs[0], pairs[1], (0, 1, 4, 5), (2, 3, 6, 7)))

    def _last(self, halves: Expr) -> Expr:
        raise NotImplementedError


class Simd128Counts(_TransposedCounts):
    """`i8x16.popcnt`."""

    def widen(self, count: Expr) -> Expr:
        """`i16x8.extadd_pairwise_i8x16_s`."""
        return llvm("int16x8", "llvm.wasm.extadd.pairwise.signed.v8i16", count)

    def _last(self, halves: Expr) -> Expr:
        return bits_as("uint32x4", llvm("int32x4", "llvm.wasm.extadd.pairwise.signed.v4i32", halves))


class Avx2Counts(_TransposedCounts):
    """`vpshufb` of nibbles, which LLVM makes of a count of bytes."""

    def widen(self, count: Expr) -> Expr:
        """`vpmaddubsw` of ones."""
        return llvm("int16x16", "llvm.x86.avx2.pmadd.ub.sw", splat(const(1, "int8"), 32), count)

    def _last(self, halves: Expr) -> Expr:
        ones = splat(const(1, "int16"), 16)
        sums = self.f.let(llvm("int32x8", "llvm.x86.avx2.pmadd.wd", halves, ones), "sums")
        return bits_as("uint32x4", shuffle(sums, range(4)) + shuffle(sums, range(4, 8)))


def counts(f: Function, isa: Isa) -> Counts:
    """The operations of an instruction set."""
    vectors = {"avx2": Avx2Counts, "simd128": Simd128Counts, **dict.fromkeys(NEON, NeonCounts), "neon32": Neon32Counts}
    return vectors.get(isa, Counts)(f, isa)
