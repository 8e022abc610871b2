"""The NEON operations that kernels use, on 64-bit and on 32-bit ARM.

Both have the same operations by other names, except that 32-bit ARM adds neighbours of, and looks up bytes in, 64-bit
halves only: two instructions where 64-bit ARM has one. Import this module only inside `Kernel.prim_func`: it imports
tvm.
"""

from __future__ import annotations

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.vector import Expr, Function, bits_as, concat, lanes_of, llvm, shuffle

_LONG = {"int16x8": "v8i16", "int32x4": "v4i32"}
_PAIRS = {"int16x8": "v8i16.v16i8", "int32x4": "v4i32.v8i16"}
_NARROW = {2: "v2i32", 4: "v4i16", 8: "v8i8"}


def _halves(value: Expr) -> tuple[Expr, Expr]:
    half = lanes_of(value) // 2
    return shuffle(value, range(half)), shuffle(value, range(half, 2 * half))


def long_product(isa: Isa, a: Expr, b: Expr, dtype: str = "int16x8") -> Expr:
    """Products of a 64-bit vector's lanes in lanes of twice the width (`smull`, or `smlal` where it is added)."""
    name = "llvm.arm.neon.vmulls" if isa == "neon32" else "llvm.aarch64.neon.smull"
    return llvm(dtype, f"{name}.{_LONG[dtype]}", a, b)


def add_pairs(isa: Isa, acc: Expr, value: Expr) -> Expr:
    """int32x4 `acc` plus the sums of neighbours of int16x8 (`sadalp`)."""
    if isa == "neon32":
        return llvm("int32x4", "llvm.arm.neon.vpadals.v4i32.v8i16", acc, value)
    return acc + long_pairs(isa, value)


def long_pairs(isa: Isa, value: Expr) -> Expr:
    """Sums of neighbours of int8x16 or int16x8 in lanes of twice the width (`saddlp`)."""
    dtype = f"int{256 // lanes_of(value)}x{lanes_of(value) // 2}"
    name = "llvm.arm.neon.vpaddls" if isa == "neon32" else "llvm.aarch64.neon.saddlp"
    return llvm(dtype, f"{name}.{_PAIRS[dtype]}", value)


def pairs(f: Function, isa: Isa, a: Expr, b: Expr) -> Expr:
    """Sums of neighbours, those of a and then those of b, for int8x16 and int32x4 (`addp`)."""
    lanes = lanes_of(a)
    bits = 128 // lanes
    dtype = f"int{bits}x{lanes}"
    if isa != "neon32":
        return f.let(llvm(dtype, f"llvm.aarch64.neon.addp.v{lanes}i{bits}", a, b), "pairs")
    half = lanes // 2
    name, part = f"llvm.arm.neon.vpadd.v{half}i{bits}", f"int{bits}x{half}"
    sums = [f.let(llvm(part, name, *_halves(f.let(value))), "pairs") for value in (a, b)]
    return f.let(concat(sums[0], sums[1], half), "pairs")


def narrowed(isa: Isa, value: Expr) -> Expr:
    """The lanes of a 128-bit vector in half the width, saturated (`sqxtn`)."""
    lanes = lanes_of(value)
    name = "llvm.arm.neon.vqmovns" if isa == "neon32" else "llvm.aarch64.neon.sqxtn"
    return llvm(f"int{64 // lanes}x{lanes}", f"{name}.{_NARROW[lanes]}", value)


def rounding_shift(isa: Isa, value: Expr, shift: Expr) -> Expr:
    """Each lane shifted left, or right and rounded where `shift` is negative; halves go up (`srshl`)."""
    lanes = lanes_of(value)
    name = "llvm.arm.neon.vrshifts" if isa == "neon32" else "llvm.aarch64.neon.srshl"
    return llvm(f"int{128 // lanes}x{lanes}", f"{name}.v{lanes}i{128 // lanes}", value, shift)


def look_up(isa: Isa, table: Expr, indices: Expr) -> Expr:
    """Bytes of a table of 16 by indices in 0…15, as int8x16 (`tbl`)."""
    if isa != "neon32":
        return llvm("int8x16", "llvm.aarch64.neon.tbl1.v16i8", table, indices)
    low, high = _halves(table)
    parts = [llvm("int8x8", "llvm.arm.neon.vtbl2", low, high, part) for part in _halves(bits_as("int8x16", indices))]
    return concat(parts[0], parts[1], 8)
