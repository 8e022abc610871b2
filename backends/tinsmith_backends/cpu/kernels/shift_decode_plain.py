"""Packed codes of powers of two back to weights in plain C, which compilers vectorize.

A byte of scratch holds w - (w > 0) for weights of 4 bits, which reach 128, and w for others. Import this module only
inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinsmith_backends.cpu.kernels.emit import Arguments, widened
from tinsmith_backends.cpu.kernels.shift_codes import LANES, RUN, run_bytes
from tinsmith_backends.cpu.kernels.vector import Expr, Function, cast, const


def decode_plain(f: Function, k: Arguments, bits: int, source: Expr, to: Expr, count: int) -> None:
    """Decode `count` runs from byte `source` of w to the bytes of scratch from `to` on."""
    with f.loop(count, "run") as run, f.loop(LANES, "lane") as lane:
        at = f.let(source + run * run_bytes(bits) + lane, "at")
        vectors = [f.let(cast("int32", cast("uint8", k.w.load(at + i * LANES))), "vector") for i in range(bits)]
        for part in range(RUN // LANES):
            byte = _byte(f, bits, f.let(_code(vectors, bits, part), "code"))
            k.scratch.store(to + run * RUN + part * LANES + lane, cast("int8", byte))


def decoded(f: Function, k: Arguments, bits: int, at: Expr) -> Expr:
    """The weight in a byte of scratch, as int32."""
    byte = f.let(widened(k.scratch.load(at)), "w")
    return f.let(byte + 1 + (byte >> 31), "w") if bits == 4 else byte


def _byte(f: Function, bits: int, code: Expr) -> Expr:
    """Without a shift by a variable, which few vector instruction sets have: 2**S is a product of 2**(2**bit)."""
    negative = f.let(const(0) - (code >> (bits - 1)), "negative")
    power: Expr = const(1) + (code & 1)
    for bit in range(1, bits - 1):
        power = f.let(power, "power")
        power = power + ((power * ((1 << (1 << bit)) - 1)) & (const(0) - ((code >> bit) & 1)))
    return (power - 1) ^ negative if bits == 4 else (power ^ negative) - negative


def _code(vectors: Sequence[Expr], bits: int, part: int) -> Expr:
    """The code of a lane's part of a run."""
    width = 4 if bits == 4 else 2
    per_byte = 8 // width
    low = (vectors[part // per_byte] >> (width * (part % per_byte))) & ((1 << width) - 1)
    return low | (((vectors[2] >> part) & 1) << 2) if bits == 3 else low
