"""What kernels that work element by element share. Import only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from collections.abc import Callable

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.bits import WORD
from tinsmith_backends.cpu.kernels.emit import Arguments, blocks, part, requantized_lanes
from tinsmith_backends.cpu.kernels.isa import ISAS
from tinsmith_backends.cpu.kernels.pack_bits import signs_of
from tinsmith_backends.cpu.kernels.requant_simd import Requantizer
from tinsmith_backends.cpu.kernels.vector import (
    Expr,
    Function,
    Pointer,
    cast,
    const,
    lanes_of,
    shuffle_two,
    splat,
    vector_type,
)


def widths(isa: Isa) -> tuple[int, ...]:
    """Vector widths in bytes, greedily from a full register down, so that no element is written twice."""
    full = max(1, ISAS[isa].vector_bytes)
    return tuple(width for width in (32, 16, 8, 4, 2, 1) if width <= full)


def in_blocks(f: Function, total: int, isa: Isa, body: Callable[[Expr, int], None]) -> None:
    """`body(at, lanes)` for blocks that cover 0..total-1 without overlap: full vectors, then ever narrower ones."""
    for start, count, lanes in blocks(total, widths(isa)):
        with f.loop(count, "block") as block:
            body(f.let(start + block * lanes, "at"), lanes)


def differences(f: Function, x: Pointer, at: Expr, zero: Expr, lanes: int, step: int) -> list[Expr]:
    """x - zero as int32 vectors of `step` lanes each, by way of int16."""
    wide = vector_type("int16", lanes)
    difference = f.let(cast(wide, x.load(at, lanes)) - splat(cast("int16", zero), lanes), "difference")
    dtype = vector_type("int32", step)
    return [cast(dtype, part(difference, start, step, lanes)) for start in range(0, lanes, step)]


def step_of(lanes: int, isa: Isa) -> int:
    """Lanes of one accumulator: a quarter of a full vector of bytes, else all of a narrower one."""
    return lanes // 4 if lanes == ISAS[isa].vector_bytes else lanes


def in_words(
    f: Function, isa: Isa, channels: int, body: Callable[[Expr, int], Expr], put: Callable[[Expr, Expr], None]
) -> None:
    """Make the bits of one pixel: `put(number, word)` gets each word, from the signs of `body(channel, lanes)`.

    `body` gives `lanes` int8. Unused bits are 0.
    """
    whole, tail = channels // WORD, channels % WORD
    for first, count, bits in ((0, whole, WORD), (whole, 1, tail)):
        if count and bits:
            with f.loop(count, "number") as number:
                word = f.let(number + first, "word")
                pack = _packed_vectors if ISAS[isa].vector_bytes else _packed_singles
                put(word, pack(f, isa, bits, f.let(word * WORD, "channel"), body))


def _packed_vectors(f: Function, isa: Isa, bits: int, channel: Expr, body: Callable[[Expr, int], Expr]) -> Expr:
    """One word, in registers: stores to a local array that is then read as a whole break LLVM's SROA."""
    full, parts = ISAS[isa].vector_bytes, []
    for begin in range(0, WORD, full):
        missing = full - max(0, min(full, bits - begin))
        pieces = [
            f.let(body(channel + begin + start + i * lanes, lanes), "signs")
            for start, count, lanes in blocks(full - missing, widths(isa))
            for i in range(count)
        ]
        parts.append(_joined(f, pieces, full))
    return f.let(cast("uint32", signs_of(f, isa, parts)), "bits")


def _joined(f: Function, pieces: list[Expr], full: int) -> Expr:
    """The pieces one after the other in a vector of `full` bytes, then zeros."""
    vectors = [splat(piece, 2) if lanes_of(piece) == 1 else piece for piece in pieces]
    joined: Expr = splat(const(0, "int8"), full)
    done = 0
    for piece, vector in zip(pieces, vectors, strict=True):
        lanes = lanes_of(piece)
        order = [*range(done), *range(full, full + lanes), *range(done + lanes, full)]
        joined = vector if lanes == full else f.let(shuffle_two(joined, vector, order), "joined")
        done += lanes
    return joined


def _packed_singles(f: Function, isa: Isa, bits: int, channel: Expr, body: Callable[[Expr, int], Expr]) -> Expr:
    """One word, a channel at a time."""
    word = f.registers("uint32", 1, 1)
    word[0] = const(0, "uint32")
    with f.loop(bits, "bit") as bit:
        negative = cast("uint32", body(channel + bit, 1)) >> const(31, "uint32")
        word[0] = word[0] | (negative << cast("uint32", bit))
    return f.let(word[0], "bits")


class Ending:
    """Makes int8 of the accumulators of a block, given as int32 vectors of `step_of` lanes each."""

    def __init__(self, f: Function, isa: Isa, k: Arguments, *, wide: bool) -> None:
        self._f, self._k, self._wide = f, k, wide
        self._simd = Requantizer(f, isa, k, wide=wide) if ISAS[isa].vector_bytes else None

    def requantized(self, acc: list[Expr], multiplier: list[Expr]) -> Expr:
        """The formula of docs/numbers.md."""
        if self._simd and len(acc) > 1:
            return self._simd(acc, multiplier)
        return self._lanes(acc[0], multiplier[0])

    def shifted(self, acc: list[Expr]) -> Expr:
        """As `requantized` with a multiplier of 1 (narrow form only)."""
        if self._simd and len(acc) > 1:
            return self._simd.shifted(acc)
        return self._lanes(acc[0], splat(const(1), lanes_of(acc[0])))

    def signs(self, acc: list[Expr]) -> Expr:
        """Negative where the accumulator is."""
        if self._simd and len(acc) > 1:
            return self._simd.signs(acc)
        lanes = lanes_of(acc[0])
        return cast(vector_type("int8", lanes), acc[0] >> splat(const(24), lanes))

    def _lanes(self, acc: Expr, multiplier: Expr) -> Expr:
        return requantized_lanes(self._f, acc, multiplier, self._k, lanes_of(acc), wide=self._wide)
