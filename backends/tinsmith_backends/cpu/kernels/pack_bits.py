"""Packs signs to bits: 32 int8, of which a negative one stands for -1, become one word.

A kernel that ends in bits narrows its sums to bytes as if they were results, since saturation keeps the sign; collects
the bytes of a few pixels in rows of scratch; and packs them here. Import this module only inside `Kernel.prim_func`: it
imports tvm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.bits import WORD, words
from tinsmith_backends.cpu.kernels.emit import blocks
from tinsmith_backends.cpu.kernels.isa import ISAS
from tinsmith_backends.cpu.kernels.neon import pairs
from tinsmith_backends.cpu.kernels.vector import (
    Expr,
    Function,
    Pointer,
    bits_as,
    cast,
    const,
    lane,
    llvm,
    splat,
    vector_type,
)

_EIGHT_BITS = int.from_bytes(bytes(1 << i for i in range(8)), "little", signed=True)
"""Byte i of this int64 is 1 << i."""
_PIECES = (16, 8, 4, 2, 1)


def sign_word(f: Function, isa: Isa, signs: Pointer, at: Expr) -> Expr:
    """Bit i of the uint32 is 1 where signs[at + i] is negative, for i in 0...31."""
    at = f.let(at, "from")
    word = _WORDS[isa](f, signs, at) if isa in _WORDS else _simd(f, isa, signs, at)
    return f.let(cast("uint32", word), "word")


def signs_of(f: Function, isa: Isa, parts: Sequence[Expr]) -> Expr:
    """Bit i of the int32 is 1 where byte i is negative; 32 bytes in registers of a SIMD instruction set."""
    if isa == "avx2":
        return llvm("int32", "llvm.x86.avx2.pmovmskb", parts[0])
    if isa == "simd128":
        low, high = (llvm("int32", "llvm.wasm.bitmask.v16i8", part) for part in parts)
        return low | (high << 16)
    # Bit i of byte i of each half, then sums of neighbours until a byte holds eight bits.
    weights = f.let(bits_as("int8x16", splat(const(_EIGHT_BITS, "int64"), 2)), "weights")
    seven = splat(const(7, "int8"), 16)
    low, high = (f.let((part >> seven) & weights, "bits") for part in parts)
    total = pairs(f, isa, low, high)
    for _ in range(2):
        total = pairs(f, isa, total, total)
    return lane(bits_as("int32x4", total), 0)


def _simd(f: Function, isa: Isa, signs: Pointer, at: Expr) -> Expr:
    width = ISAS[isa].vector_bytes
    return signs_of(f, isa, [f.let(signs.load(at + i, width), "part") for i in range(0, WORD, width)])


def _dsp(f: Function, signs: Pointer, at: Expr) -> Expr:
    """Four bytes at a time: the sign bits stand 8 apart and move together."""
    word: Expr = const(0)
    for first in range(0, WORD, 4):
        spread = f.let((signs.load_bits(at + first, "int32", 4) >> 7) & 0x01010101, "spread")
        joined = f.let(spread | (spread >> 7), "joined")
        word = f.let(word | (((joined | (joined >> 14)) & 15) << first), "word")
    return word


def _scalar(f: Function, signs: Pointer, at: Expr) -> Expr:
    """Plain C, in which bytes are not read as words."""
    word = f.registers("uint32", 1, 1)
    word[0] = const(0, "uint32")
    with f.loop(WORD, "bit") as bit:
        negative = cast("uint32", signs.load(at + bit)) >> const(31, "uint32")
        word[0] = word[0] | (negative << cast("uint32", bit))
    return word[0]


_WORDS: Mapping[Isa, Callable[[Function, Pointer, Expr], Expr]] = {
    "dsp": _dsp,
    "scalar": _scalar,
}


class SignRows:
    """Rows of bytes in scratch, one a pixel, whose signs become that pixel's bits.

    Construct it in front of the loops: the bytes behind the last channel are cleared once, and nobody writes them. It
    takes `bits.sign_bytes(rows, channels)` bytes of scratch from byte `first` on.

    Attributes:
        bytes: the scratch as int8.
        pitch: bytes from row to row.
    """

    def __init__(self, f: Function, isa: Isa, scratch: Pointer, first: int, rows: int, channels: int) -> None:
        self.bytes = f.view(scratch, "int8")
        self.pitch = WORD * words(channels)
        self._f, self._isa, self._first, self._rows, self._words = f, isa, first, rows, words(channels)
        pieces = (1,) if isa == "scalar" else _PIECES
        for row in range(rows):
            for start, count, width in blocks(self.pitch - channels, pieces):
                with f.loop(count, "tail") as number:
                    at = first + row * self.pitch + channels + start + number * width
                    self.bytes.store(at, splat(const(0, "int8"), width), width)

    def place(self, row: Expr, channel: Expr) -> Expr:
        """Index in `bytes` of a channel of a row."""
        return self._first + row * self.pitch + channel

    def store(self, row: Expr, channel: Expr, acc: Expr, lanes: int = 1) -> None:
        """The signs of `lanes` int32 accumulators, for channels from `channel` on."""
        top = acc >> splat(const(24), lanes)
        self.bytes.store(self.place(row, channel), cast(vector_type("int8", lanes), top), lanes)

    def pack(self, y: Pointer, pixel: Expr, rows: int | None = None) -> None:
        """Write the first `rows` rows (all of them if not said) as the bits of the pixels from `pixel` on."""
        with self._f.loop(rows or self._rows, "row") as row:
            self.pack_row(y, pixel + row, row)

    def pack_row(self, y: Pointer, pixel: Expr, row: Expr) -> None:
        """Write one row as the bits of one pixel."""
        f = self._f
        at = f.let(pixel * self._words, "bits_at")
        with f.loop(self._words, "number") as number:
            word = sign_word(f, self._isa, self.bytes, self.place(row, number * WORD))
            y.store(at + number, word)
