"""Packed codes of powers of two back to weights, 16 a turn: shifts and masks, then one table lookup.

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.neon import look_up
from tinsmith_backends.cpu.kernels.shift_codes import LANES, RUN, run_bytes, value
from tinsmith_backends.cpu.kernels.vector import (
    Expr,
    Function,
    Pointer,
    bits_as,
    cast,
    concat,
    const,
    llvm,
    shuffle,
    splat,
)

_LOOKUP = {
    "simd128": "llvm.wasm.swizzle",
    "avx2": "llvm.x86.ssse3.pshuf.b.128",
}
"""Byte lookup in a table of 16, beside NEON's."""


class Decoder:
    """Decodes runs for one kernel; construct it in front of the loops, where its tables are loaded once."""

    def __init__(self, f: Function, isa: Isa, bits: int, element: str) -> None:
        self._f, self._isa, self._bits, self._element = f, isa, bits, element
        weights = [value(code, bits) for code in range(1 << bits)]
        # Two bytes hold ±128; a byte holds 127 in its stead, and a second plane the 1 that is missing.
        small = [min(w, 127) for w in weights]
        rest = [w - s for w, s in zip(weights, small, strict=True)]
        # int16 weights come from bytes w - (w > 0).
        tables = [small, rest] if any(rest) and element == "int8" else [small]
        self._low = element == "int16" and any(rest)
        if self._low:
            tables = [[w - (w > 0) for w in weights]]
        self._tables = [self._table(table) for table in tables]

    def runs(self, w: Pointer, source: Expr, to: Pointer, at: Expr, count: int) -> None:
        """Decode `count` runs from byte `source` of w to the elements from `at` on; planes follow one another."""
        f = self._f
        with f.loop(count, "run") as run:
            start = f.let(source + run * run_bytes(self._bits), "codes")
            place = f.let(at + run * RUN, "decoded")
            vectors = [f.let(self._loaded(w, start + i * LANES), "vector") for i in range(self._bits)]
            for part in range(RUN // LANES):
                codes = f.let(bits_as("int8x16", self._codes(vectors, part)), "code")
                for plane, table in enumerate(self._tables):
                    weights = f.let(self._look_up(table, codes), "weights")
                    to.store(place + (part * LANES + plane * count * RUN), self._widened(weights), LANES)

    def _table(self, values: Sequence[int]) -> Expr:
        data = bytes(v & 255 for v in (*values, *[0] * 16)[:16])
        low, high = (splat(const(int.from_bytes(data[i : i + 8], "little", signed=True), "int64"), 2) for i in (0, 8))
        return self._f.let(bits_as("int8x16", shuffle(concat(low, high, 2), (0, 2))), "table")

    def _look_up(self, table: Expr, codes: Expr) -> Expr:
        if self._isa in _LOOKUP:
            return llvm("int8x16", _LOOKUP[self._isa], table, codes)
        return look_up(self._isa, table, codes)

    def _loaded(self, w: Pointer, at: Expr) -> Expr:
        return bits_as("uint8x16", w.load(at, LANES))

    def _codes(self, vectors: Sequence[Expr], part: int) -> Expr:
        """The 16 codes of a part of a run, each in its byte."""
        width = 4 if self._bits == 4 else 2
        per_byte = 8 // width
        low = self._field(vectors[part // per_byte], width * (part % per_byte), 0, (1 << width) - 1)
        return low | self._field(vectors[2], part, 2, 4) if self._bits == 3 else low

    def _field(self, vector: Expr, source: int, to: int, mask: int) -> Expr:
        """The bits of `mask`, which stand `source` - `to` places higher in each byte."""

        def spread(number: int) -> Expr:
            return splat(const(number, "uint8"), LANES)

        if source > to:
            vector = vector >> spread(source - to)
        elif source < to:
            vector = vector << spread(to - source)
        return vector & spread(mask)

    def _widened(self, weights: Expr) -> Expr:
        if self._element == "int8":
            return weights
        wide = self._f.let(cast("int16x16", weights), "wide")
        if not self._low:
            return wide
        return wide + (splat(const(1, "int16"), LANES) + (wide >> splat(const(15, "int16"), LANES)))
