"""What kernels share above `vector.py`: the C signature of each kind, the requantization formula, clipped windows.

Import this module only inside `Kernel.prim_func`: it imports tvm.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tvm import tirx

from tinsmith_backends.cpu.kernels.base import Kernel
from tinsmith_backends.cpu.kernels.signatures import SIGNATURES, pointers
from tinsmith_backends.cpu.kernels.vector import (
    Expr,
    Function,
    cast,
    const,
    maximum,
    minimum,
    shuffle,
    splat,
    vector_type,
)


class Arguments:
    """The parameters of a kernel as attributes, by the names of kernels/base.py: pointers and int32 scalars."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        raise AttributeError(name)


def signature(kernel: Kernel, types: dict[str, str] | None = None) -> tuple[Function, Arguments]:
    """An empty function with the C signature of the kernel's kind, and its parameters.

    `types` names pointers that the kernel reads by another type than the signature's, such as `{"w": "int32"}`; the
    bytes are the same. A kernel that may run in place does not promise that its pointers are distinct.
    """
    f = Function(kernel.symbol, noalias=not kernel.in_place)
    named = {**pointers(kernel.kind, kernel.shape), **(types or {})}
    values: dict[str, Any] = {name: f.pointer(name, dtype) for name, dtype in named.items()}
    values.update({name: f.scalar(name) for name in SIGNATURES[kernel.kind].scalars})
    return f, Arguments(values)


def widened(value: Expr) -> Expr:
    """An int8 or int16 as int32."""
    return cast("int32", value)


def requantized(f: Function, acc: Expr, multiplier: Expr, k: Arguments, *, wide: bool, element: str = "int8") -> Expr:
    """clamp(y_zp + ((acc * multiplier + 2**(shift-1)) >> shift), lo, hi) as `element`, for an int32 `acc`.

    The clamp of the wide form is in 64 bits, because nothing bounds the shifted value but the clamp itself.
    """
    dtype = "int64" if wide else "int32"
    shift = cast(dtype, k.shift)
    rounding = const(1, dtype) << (shift - 1)
    scaled = ((cast(dtype, acc) * cast(dtype, multiplier) + rounding) >> shift) + cast(dtype, k.y_zp)
    low = f.let(maximum(f.let(scaled, "scaled"), cast(dtype, k.lo)), "low")
    return cast(element, minimum(low, cast(dtype, k.hi)))


def requantized_lanes(f: Function, acc: Expr, multiplier: Expr, k: Arguments, lanes: int, *, wide: bool) -> Expr:
    """`requantized` of a vector of any number of lanes, in plain vector arithmetic; for rare widths."""
    if lanes == 1:
        return requantized(f, acc, multiplier, k, wide=wide)
    scalar = "int64" if wide else "int32"
    dtype = vector_type(scalar, lanes)

    def spread(value: Expr) -> Expr:
        return splat(cast(scalar, value), lanes)

    shift = f.let(spread(k.shift), "shift")
    rounding = splat(const(1, scalar), lanes) << (shift - splat(const(1, scalar), lanes))
    scaled = f.let((cast(dtype, acc) * cast(dtype, multiplier) + rounding) >> shift, "scaled") + spread(k.y_zp)
    low = f.let(maximum(f.let(scaled, "moved"), spread(k.lo)), "low")
    return cast(vector_type("int8", lanes), minimum(low, spread(k.hi)))


def part(value: Expr, start: int, lanes: int, of: int) -> Expr:
    """`lanes` lanes of a vector of `of` lanes, from `start` on."""
    return value if lanes == of else shuffle(value, range(start, start + lanes))


@contextmanager
def overlapping(f: Function, total: int, width: int, name: str = "at") -> Iterator[Expr]:
    """Starts of blocks of `width` that cover 0..total-1, the last one moved back so that it ends at `total`.

    What two blocks share is computed twice, so the body must not overwrite what it reads. `width` <= `total`.
    """
    count = -(-total // width)
    with f.loop(count, "block") as block:
        start = block * width
        yield f.let(start if total % width == 0 else minimum(start, total - width), name)


def valid_taps(f: Function, taps: int, first: Expr, dilation: int, size: int) -> tuple[Expr, Expr]:
    """The taps of a window whose positions `first + t * dilation` lie in 0..size-1, as (start, count).

    `count` is 0 where the window lies outside altogether.
    """
    # Truncating divisions of non-negative numbers; adding dilation - 1 rounds them up.
    start = f.let(tirx.truncdiv(maximum(dilation - 1 - first, 0), dilation), "start")
    stop = minimum(tirx.truncdiv(maximum(size - first + dilation - 1, 0), dilation), taps)
    return start, f.let(maximum(stop - start, 0), "count")


def blocks(total: int, widths: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Cover 0..total-1 by (start, count, width): greedily, widest first; `widths` ends in 1."""
    covered, out = 0, []
    for width in widths:
        count = (total - covered) // width
        if count:
            out.append((covered, count, width))
            covered += count * width
    return out
