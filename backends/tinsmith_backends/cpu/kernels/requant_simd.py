"""Requantization of four vectors of accumulators to one vector of bytes, on every SIMD instruction set.

    y = clamp(y_zp + ((acc * multiplier + 2**(shift-1)) >> shift), lo, hi)

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.isa import ISAS, NEON
from tinsmith_backends.cpu.kernels.neon import narrowed, rounding_shift
from tinsmith_backends.cpu.kernels.vector import (
    Expr,
    Function,
    bits_as,
    cast,
    concat,
    const,
    llvm,
    maximum,
    minimum,
    shuffle,
    splat,
)


class Requantizer:
    """The formula above for one kernel; construct it once, in front of the loops.

    Attributes:
        lanes: int32 lanes of one vector; a call takes four of them and gives 4 * lanes bytes.
    """

    def __init__(self, f: Function, isa: Isa, scalars: Any, *, wide: bool) -> None:
        """`scalars` has the int32 parameters shift, y_zp, lo and hi as attributes."""
        self._f = f
        self._isa: Isa = isa
        self._arm = isa in NEON
        self._x86 = isa == "avx2"
        self._wide = wide
        self.lanes = ISAS[isa].vector_bytes // 4
        # The clamp of the wide form is in 64 bits except on ARM, whose narrowing saturates. Elsewhere a clamp there
        # also makes the truncation to 32 bits exact, so it stands in for the clamp at the end.
        self._early = wide and not self._arm
        dtype, lanes = ("int64", self.lanes // 2) if wide else ("int32", self.lanes)
        shift = cast(dtype, scalars.shift) if wide else scalars.shift
        if self._arm:
            self._shift = f.let(splat(const(0, dtype) - shift, lanes), "shift")
        else:
            self._shift = splat(shift, lanes)
            self._rounding = f.let(splat(const(1, dtype) << (shift - const(1, dtype)), lanes), "rounding")
        self._zero = f.let(splat(cast("int16", scalars.y_zp), 2 * self.lanes), "y_zp")
        if self._early:
            self._lo = f.let(splat(cast(dtype, scalars.lo - scalars.y_zp), lanes), "lo")
            self._hi = f.let(splat(cast(dtype, scalars.hi - scalars.y_zp), lanes), "hi")
        else:
            self._lo = f.let(splat(cast("int8", scalars.lo), 4 * self.lanes), "lo")
            self._hi = f.let(splat(cast("int8", scalars.hi), 4 * self.lanes), "hi")

    def __call__(self, acc: Sequence[Expr], multiplier: Sequence[Expr]) -> Expr:
        """int8 vector of 4 * lanes bytes in the order of the four int32 vectors of `acc`."""
        scaled = [self._scale(self._f.let(a), m) for a, m in zip(acc, multiplier, strict=True)]
        return self._narrow(scaled)

    def shifted(self, acc: Sequence[Expr]) -> Expr:
        """As a call with multiplier 1, for accumulators that are scaled already (narrow form only)."""
        return self._narrow([self._round(self._f.let(a)) for a in acc])

    def signs(self, acc: Sequence[Expr]) -> Expr:
        """Bytes with the signs of the accumulators: narrowing saturates."""
        values = [self._f.let(a) for a in acc]
        low, high = (self._f.let(self._to_int16(values[i], values[i + 1])) for i in (0, 2))
        return self._f.let(self._to_int8(low, high))

    def _scale(self, acc: Expr, multiplier: Expr) -> Expr:
        if not self._wide:
            return self._round(acc * multiplier)
        half = self.lanes // 2
        low, high = (
            self._scale_half(shuffle(acc, lanes), shuffle(multiplier, lanes))
            for lanes in (range(half), range(half, self.lanes))
        )
        return concat(low, high, half)

    def _scale_half(self, acc: Expr, multiplier: Expr) -> Expr:
        """Half a vector through 64-bit products, as int32."""
        half = self.lanes // 2
        product = cast(f"int64x{half}", acc) * cast(f"int64x{half}", multiplier)
        shifted = self._f.let(self._round(product))
        if self._arm:
            return narrowed(self._isa, shifted)
        clamped = self._f.let(maximum(self._f.let(minimum(shifted, self._hi)), self._lo))
        return shuffle(bits_as(f"int32x{self.lanes}", clamped), range(0, self.lanes, 2))

    def _round(self, product: Expr) -> Expr:
        """(product + 2**(shift-1)) >> shift; the sum is proved not to overflow."""
        if self._arm:
            return self._f.let(rounding_shift(self._isa, product, self._shift))
        return self._f.let((product + self._rounding) >> self._shift)

    def _narrow(self, values: Sequence[Expr]) -> Expr:
        """Four int32 vectors, zero point removed, to bytes: saturating steps, the zero point, the clamp."""
        low, high = (self._add_zero(self._to_int16(values[i], values[i + 1])) for i in (0, 2))
        y = self._f.let(self._to_int8(low, high))
        return y if self._early else self._f.let(minimum(self._f.let(maximum(y, self._lo)), self._hi))

    def _add_zero(self, value: Expr) -> Expr:
        lanes = 2 * self.lanes
        return self._f.let(llvm(f"int16x{lanes}", f"llvm.sadd.sat.v{lanes}i16", value, self._zero))

    def _to_int16(self, low: Expr, high: Expr) -> Expr:
        """On AVX2 the halves of both inputs interleave; `_to_int8` puts them right."""
        if self._arm:
            return concat(narrowed(self._isa, low), narrowed(self._isa, high), 4)
        if self._x86:
            return llvm("int16x16", "llvm.x86.avx2.packssdw", low, high)
        return llvm("int16x8", "llvm.wasm.narrow.signed.v8i16.v4i32", low, high)

    def _to_int8(self, low: Expr, high: Expr) -> Expr:
        if self._arm:
            return concat(narrowed(self._isa, low), narrowed(self._isa, high), 8)
        if self._x86:
            packed = self._f.let(bits_as("int32x8", llvm("int8x32", "llvm.x86.avx2.packsswb", low, high)))
            return bits_as("int8x32", shuffle(packed, (0, 4, 1, 5, 2, 6, 3, 7)))
        return llvm("int8x16", "llvm.wasm.narrow.signed.v16i8.v8i16", low, high)
