"""What add and requantize share on SIMD instruction sets. Import only inside `Kernel.prim_func`: it imports tvm."""

from __future__ import annotations

from collections.abc import Callable

from tinsmith_backends.cpu.kernels.base import Isa
from tinsmith_backends.cpu.kernels.emit import blocks, part
from tinsmith_backends.cpu.kernels.isa import ISAS
from tinsmith_backends.cpu.kernels.vector import Expr, Function, Pointer, cast, splat, vector_type


def widths(isa: Isa) -> tuple[int, ...]:
    """Vector widths in bytes, greedily from a full register down, so that no element is written twice."""
    full = ISAS[isa].vector_bytes
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
