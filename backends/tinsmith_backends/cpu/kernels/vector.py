"""A small builder of kernels: typed pointers, registers, loops and vector expressions over `tvm.tirx`.

A kernel is written once, as Python that emits straight-line TIR with explicit vectors; nothing here is left to a
vectorizer. Import this module only inside `Kernel.prim_func`: it imports tvm.

    f = Function("copy16")
    x, y = f.pointer("x", "int8"), f.pointer("y", "int8")
    with f.loop(64) as i:
        y.store(i * 16, x.load(i * 16, 16))
    prim_func = f.finish()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tvm import tirx
from tvm.ir import PointerType, PrimType

Expr = Any
"""A `tvm.tirx` expression or a Python int where an index is meant."""


def const(value: int, dtype: str = "int32") -> Expr:
    """A scalar constant."""
    return tirx.IntImm(dtype, value)


def vector_type(dtype: str, lanes: int) -> str:
    """TVM's name of a vector type: `int8x16`, or the scalar type for one lane."""
    return dtype if lanes == 1 else f"{dtype}x{lanes}"


def lanes_of(value: Expr) -> int:
    """Lanes of a vector, 1 for a scalar."""
    return int(value.ty.dtype.lanes)


def splat(value: Expr, lanes: int, dtype: str = "int32") -> Expr:
    """A vector with the same scalar in every lane."""
    scalar = const(value, dtype) if isinstance(value, int) else value
    return scalar if lanes == 1 else tirx.Broadcast(scalar, lanes)


def cast(dtype: str, value: Expr) -> Expr:
    """Convert each lane (sign-extends or truncates integers); `dtype` includes the lanes."""
    return tirx.Cast(dtype, value)


def bits_as(dtype: str, value: Expr) -> Expr:
    """The same bits under another type of the same size."""
    return tirx.reinterpret(dtype, value)


def shuffle(value: Expr, lanes: Sequence[int]) -> Expr:
    """A vector of the named lanes of `value`."""
    return tirx.Shuffle([value], [const(i) for i in lanes])


def shuffle_two(first: Expr, second: Expr, lanes: Sequence[int]) -> Expr:
    """A vector of the named lanes of two vectors, those of the second counted on from the first's."""
    return tirx.Shuffle([first, second], [const(i) for i in lanes])


def concat(low: Expr, high: Expr, lanes: int) -> Expr:
    """Two vectors of `lanes` lanes each, one after the other."""
    return tirx.Shuffle([low, high], [const(i) for i in range(2 * lanes)])


def lane(value: Expr, index: int) -> Expr:
    """One lane of a vector, as a scalar."""
    return tirx.Shuffle([value], [const(index)])


def select(condition: Expr, if_true: Expr, if_false: Expr) -> Expr:
    """Lane-wise choice; both sides are evaluated."""
    return tirx.Select(condition, if_true, if_false)


def minimum(a: Expr, b: Expr) -> Expr:
    """Lane-wise minimum."""
    return tirx.Min(a, b)


def maximum(a: Expr, b: Expr) -> Expr:
    """Lane-wise maximum."""
    return tirx.Max(a, b)


def llvm(dtype: str, intrinsic: str, *args: Expr) -> Expr:
    """A pure LLVM intrinsic, such as `llvm("int32x4", "llvm.aarch64.neon.sdot.v4i32.v16i8", acc, a, b)`."""
    return tirx.call_llvm_pure_intrin(dtype, intrinsic, *args)


class Pointer:
    """A typed pointer parameter, or a local array; indices count elements of its type."""

    def __init__(self, buffer: Any, dtype: str, data: Any = None) -> None:
        """`data` is the parameter itself; None for a local array."""
        self.data = data
        self._buffer = buffer
        self._dtype = dtype
        self._emit: Any = None

    def load(self, index: Expr, lanes: int = 1) -> Expr:
        """The element at `index`, or the vector of `lanes` elements from there on; no alignment is assumed."""
        return tirx.BufferLoad(self._buffer, [_place(index, lanes)])

    def load_bits(self, index: Expr, dtype: str, elements: int) -> Expr:
        """`elements` elements from `index` on as one value of another type, such as four int8 as an int32."""
        return bits_as(dtype, self.load(index, elements))

    def store(self, index: Expr, value: Expr, lanes: int = 1) -> None:
        """Store one element, or `lanes` of them from `index` on."""
        self._emit(tirx.BufferStore(self._buffer, value, [_place(index, lanes)]))


class Registers:
    """Mutable vectors that live in registers: index them with Python ints, inside and outside of loops."""

    def __init__(self, array: Pointer, lanes: int) -> None:
        self._array = array
        self._lanes = lanes

    def __getitem__(self, index: int) -> Expr:
        return self._array.load(index * self._lanes, self._lanes)

    def __setitem__(self, index: int, value: Expr) -> None:
        self._array.store(index * self._lanes, value, self._lanes)


def _place(index: Expr, lanes: int) -> Expr:
    base = const(index) if isinstance(index, int) else index
    return base if lanes == 1 else tirx.Ramp(base, const(1), lanes)


class Function:
    """Collects the statements of one C function `int32_t symbol(...)` that returns 0.

    `noalias` promises that no two pointers overlap; say False for a kernel that may work in place.
    """

    def __init__(self, symbol: str, *, noalias: bool = True) -> None:
        self._symbol = symbol
        self._noalias = noalias
        self._params: list[Any] = []
        self._blocks: list[list[Any]] = [[]]
        self._count = 0

    def opaque_zero(self, small: Expr, bits: int = 6) -> Expr:
        """Zero at run time, made from a parameter in 0…2**bits - 1; the optimizer knows only that it is not negative.

        Added to a stride it keeps a copy loop from becoming a call of memcpy, which a freestanding program may lack;
        added to an index it keeps the sum with a constant in a form that addressing modes take.
        """
        return self.let(cast("int32", cast("uint32", small) >> const(bits, "uint32")), "zero")

    def _emit(self, statement: Any) -> None:
        self._blocks[-1].append(statement)

    def _fresh(self, name: str) -> str:
        self._count += 1
        return f"{name}_{self._count}"

    def pointer(self, name: str, dtype: str) -> Pointer:
        """Append a pointer parameter. Its type must be the one by which the memory is read and written."""
        data = tirx.Var(name, PointerType(PrimType(dtype)))
        self._params.append(data)
        buffer = tirx.decl_buffer((1 << 30,), dtype, f"{name}_elements")
        self._emit(tirx.DeclBuffer(buffer, data=data))
        return self._adopt(buffer, dtype, data)

    def view(self, pointer: Pointer, dtype: str) -> Pointer:
        """The memory of a pointer parameter as elements of another type, for bytes that are used by that type alone."""
        buffer = tirx.decl_buffer((1 << 30,), dtype, self._fresh("view"))
        self._emit(tirx.DeclBuffer(buffer, data=pointer.data))
        return self._adopt(buffer, dtype, pointer.data)

    def scalar(self, name: str) -> Expr:
        """Append an int32 parameter."""
        var = tirx.Var(name, PrimType("int32"))
        self._params.append(var)
        return var

    def registers(self, dtype: str, lanes: int, count: int) -> Registers:
        """`count` mutable vectors; the code generator keeps them in registers as long as there are enough."""
        return Registers(self.array(dtype, count * lanes), lanes)

    def array(self, dtype: str, count: int) -> Pointer:
        """A local array; small ones end up in registers where indices are constant."""
        buffer = tirx.decl_buffer((count,), dtype, self._fresh("array"))
        self._emit(tirx.AllocBuffer(buffer))
        return self._adopt(buffer, dtype)

    def _adopt(self, buffer: Any, dtype: str, data: Any = None) -> Pointer:
        pointer = Pointer(buffer, dtype, data)
        pointer._emit = self._emit
        return pointer

    def let(self, value: Expr, name: str = "t") -> Expr:
        """Evaluate `value` here, once, and return a name for it."""
        if isinstance(value, int):
            return const(value)
        var = tirx.Var(self._fresh(name), value.ty)
        self._emit(tirx.Bind(var, value))
        return var

    def effect(self, intrinsic: str, *args: Expr) -> None:
        """An LLVM intrinsic that gives nothing and stays where it stands."""
        self._emit(tirx.Evaluate(tirx.call_llvm_intrin("void", intrinsic, *args)))

    def settle(self, value: Expr) -> None:
        """Have `value` here: LLVM mixes nothing across this place and joins a sum to no other. Costs no instruction."""
        self.effect("llvm.fake.use", value)

    @contextmanager
    def loop(self, extent: Expr, name: str = "i", *, start: Expr = 0, step: int = 1) -> Iterator[Expr]:
        """Counts `start`, `start + step` … below `start + extent`; exactly one turn is emitted without the loop."""
        first = const(start) if isinstance(start, int) else start
        if isinstance(extent, int) and extent == step:
            yield first
            return
        var = tirx.Var(self._fresh(name), PrimType("int32"))
        self._blocks.append([])
        yield var
        body = _sequence(self._blocks.pop())
        count = const(extent) if isinstance(extent, int) else extent
        self._emit(tirx.For(var, first, count, tirx.ForKind.SERIAL, body, step=const(step) if step > 1 else None))

    @contextmanager
    def when(self, condition: Expr) -> Iterator[None]:
        """Statements that run only where `condition` holds."""
        self._blocks.append([])
        yield
        self._emit(tirx.IfThenElse(condition, _sequence(self._blocks.pop()), None))

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """The other branch of the `when` just before."""
        branch = self._blocks[-1].pop()
        self._blocks.append([])
        yield
        self._emit(tirx.IfThenElse(branch.condition, branch.then_case, _sequence(self._blocks.pop())))

    def finish(self) -> Any:
        """The PrimFunc, with a plain C signature."""
        self._emit(tirx.Return(const(0)))
        function = tirx.PrimFunc(self._params, _sequence(self._blocks[0]), PrimType("int32"))
        function = function.with_attr("global_symbol", self._symbol)
        return function.with_attr("tirx.noalias", True) if self._noalias else function


def _sequence(statements: list[Any]) -> Any:
    if not statements:
        return tirx.Evaluate(const(0))
    return statements[0] if len(statements) == 1 else tirx.SeqStmt(statements)
