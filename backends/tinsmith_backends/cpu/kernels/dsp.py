"""The DSP instructions of thumbv7em by name, and the requantization formula in them.

Two int16 lanes of a word are written (low, high). Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from collections.abc import Sequence

from tvm import tirx

from tinsmith_backends.cpu.kernels.emit import Arguments, requantized
from tinsmith_backends.cpu.kernels.vector import Expr, Function, Pointer, cast, const, llvm

_SHIFTS = (33, 54)
"""Shifts of the wide form that need only the upper word of the product: the rounding constant then has no lower word,
and the zero point, at most 2**7 << (54 - 32), still fits beside the product's upper word."""


def _rotated(value: Expr) -> Expr:
    """value rotated right by eight bits; part of the instruction that takes it."""
    return llvm("int32", "llvm.fshr.i32", value, value, const(8))


def extended(word: Expr, addend: Expr | None = None) -> tuple[Expr, Expr]:
    """Bytes 0 to 3 of a word as int16 pairs (0, 2) and (1, 3), plus the pair `addend`."""
    halves = (word, _rotated(word))
    if addend is None:
        low, high = (llvm("int32", "llvm.arm.sxtb16", half) for half in halves)
    else:
        low, high = (llvm("int32", "llvm.arm.sxtab16", addend, half) for half in halves)
    return low, high


def extended_onto(addend: Expr, word: Expr, half: int) -> Expr:
    """The pair `addend` plus bytes (0, 2) of a word, or bytes (1, 3) where `half` is 1."""
    return llvm("int32", "llvm.arm.sxtab16", addend, _rotated(word) if half else word)


def pair(f: Function, value: Expr) -> Expr:
    """An int32 that fits int16, in both lanes."""
    return f.let((value & 0xFFFF) | (value << 16), "pair")


def smlad(a: Expr, b: Expr, acc: Expr) -> Expr:
    """acc + a.low * b.low + a.high * b.high."""
    return llvm("int32", "llvm.arm.smlad", a, b, acc)


def smlabb(a: Expr, b: Expr, acc: Expr) -> Expr:
    """acc + a.low * b.low."""
    return llvm("int32", "llvm.arm.smlabb", a, b, acc)


def smlatt(a: Expr, b: Expr, acc: Expr) -> Expr:
    """acc + a.high * b.high."""
    return llvm("int32", "llvm.arm.smlatt", a, b, acc)


def maximum4(f: Function, a: Expr, b: Expr) -> Expr:
    """Byte by byte the greater of two words of four int8."""
    return _chosen4(f, a, b, a, b)


def minimum4(f: Function, a: Expr, b: Expr) -> Expr:
    """Byte by byte the smaller of two words of four int8."""
    return _chosen4(f, a, b, b, a)


def _chosen4(f: Function, a: Expr, b: Expr, if_not_less: Expr, if_less: Expr) -> Expr:
    """Byte by byte `if_not_less` where a >= b. SSUB8 leaves the comparison in flags that SEL reads."""
    f.let(_flagged("llvm.arm.ssub8", a, b), "unused")
    return f.let(_flagged("llvm.arm.sel", if_not_less, if_less), "chosen")


def barrier(f: Function, value: Expr) -> None:
    """One instruction across which LLVM moves no load or store.

    It keeps loads that do not change from turn to turn of a loop inside of it: there are no registers to keep them in.
    """
    f.let(_flagged("llvm.arm.ssub8", value, value), "unused")


def _flagged(intrinsic: str, a: Expr, b: Expr) -> Expr:
    """An instruction that writes or reads flags, so it may be neither moved nor dropped."""
    return tirx.call_llvm_intrin("int32", intrinsic, a, b)


class Requantizer:
    """y = clamp(y_zp + ((acc * multiplier + 2**(shift-1)) >> shift), lo, hi); construct it in front of the loops.

    Values are saturated to int8 where they are made. Bounds narrower than that, which few layers have, are imposed by
    `finish` in a second pass over the output.

    Attributes:
        fast: of the wide form: the shift is one of `_SHIFTS`, so `store` may be used; else `store_slowly`.
    """

    def __init__(self, f: Function, k: Arguments, *, wide: bool) -> None:
        self._f, self._k, self._wide = f, k, wide
        if wide:
            self.fast = f.let(tirx.And(k.shift >= _SHIFTS[0], k.shift <= _SHIFTS[1]), "fast")
            # Clamped so that nothing is undefined when the slow path is taken.
            shift = tirx.Max(tirx.Min(k.shift, const(_SHIFTS[1])), const(_SHIFTS[0]))
            self._shift = f.let(shift - 32, "shift")
            self._addend = f.let((const(1) << (self._shift - 1)) + (k.y_zp << self._shift), "addend")
        else:
            self._rounding = f.let(const(1) << (k.shift - 1), "rounding")

    def store(self, acc: Expr, multiplier: Expr, at: Expr) -> None:
        """Requantize `acc` to y[at]; the wide form only inside `f.when(fast)`."""
        k = self._k
        if self._wide:
            upper = cast("int32", (cast("int64", acc) * cast("int64", multiplier)) >> const(32, "int64"))
            k.y.store(at, self._saturated((upper + self._addend) >> self._shift))
        else:
            k.y.store(at, self._saturated(((acc * multiplier + self._rounding) >> k.shift) + k.y_zp))

    def store_slowly(self, acc: Expr, multiplier: Expr, at: Expr) -> None:
        """The wide form for every shift."""
        self._k.y.store(at, requantized(self._f, acc, multiplier, self._k, wide=True))

    def store_all(self, values: Sequence[tuple[Expr, Expr, Expr]]) -> None:
        """Requantize (acc, multiplier, place in y) each, whatever the shift."""
        if not self._wide:
            for value in values:
                self.store(*value)
            return
        with self._f.when(self.fast):
            for value in values:
                self.store(*value)
        with self._f.otherwise():
            for value in values:
                self.store_slowly(*value)

    def store_scaled(self, acc: Expr, at: Expr) -> None:
        """As `store` with multiplier 1, where the rounding constant is in `acc` already (narrow form only)."""
        self._k.y.store(at, self._saturated((acc >> self._k.shift) + self._k.y_zp))

    @property
    def rounding(self) -> Expr:
        """2**(shift-1), of the narrow form."""
        return self._rounding

    def finish(self, elements: int) -> None:
        """Impose lo and hi on the first `elements` of y; emitted once, behind the loops."""
        f, k = self._f, self._k
        with f.when(tirx.Or(k.lo > -128, k.hi < 127)):
            lo, hi = (f.let((v & 255) * 0x01010101, "bytes") for v in (k.lo, k.hi))
            if elements >= 4:
                with f.loop(elements // 4, "word") as word:
                    y = f.let(k.y.load_bits(word * 4, "int32", 4), "y")
                    y = minimum4(f, maximum4(f, y, lo), hi)
                    store_word(k.y, word * 4, y)
            for at in range(elements // 4 * 4, elements):
                y = cast("int32", k.y.load(const(at)))
                k.y.store(at, cast("int8", tirx.Min(tirx.Max(y, k.lo), k.hi)))

    def _saturated(self, value: Expr) -> Expr:
        return cast("int8", llvm("int32", "llvm.arm.ssat", self._f.let(value), const(8)))


def store_word(y: Pointer, at: Expr, word: Expr) -> None:
    """Four bytes of a word to an int8 pointer without alignment."""
    y.store(at, tirx.reinterpret("int8x4", word), 4)
