"""One step of a program as C statements, and the C names of what it touches."""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith_backends.cpu.constants import Constant
from tinsmith_backends.cpu.kernels.base import Kernel
from tinsmith_backends.cpu.kernels.signatures import SIGNATURES, WRITTEN, pointers
from tinsmith_backends.cpu.memory import Memory
from tinsmith_backends.cpu.move_lines import move_lines
from tinsmith_backends.cpu.program import C_TYPES, Call, Head, Moves, Program, Step
from tinsmith_backends.cpu.symbols import own_symbol

_CONSTANT_OF = {"w": "weight", "b": "factor"}
"""What a constant is called that is passed as a pointer of another name."""
_ACTIVATIONS = ("x", "a", "b")


def parameters(program: Program) -> str:
    """The parameters of `run` and `step` after the arena: inputs, then outputs."""
    words = [f"const {C_TYPES[program.buffers[port.buffer].element]} *{port.identifier}" for port in program.inputs]
    words += [f"{C_TYPES[program.buffers[port.buffer].element]} *{port.identifier}" for port in program.outputs]
    return ", ".join(words)


def prototypes(program: Program) -> list[str]:
    """Declarations of the kernels that the program calls, each once: see kernels/base.py."""
    found: dict[str, str] = {}
    for step in program.steps:
        if isinstance(step.body, Call):
            symbol = own_symbol(program.name, step.body.kernel)
            found[symbol] = f"int32_t {symbol}({', '.join(_parameter_types(step.body.kernel))});"
    return [found[symbol] for symbol in sorted(found)]


def _parameter_types(kernel: Kernel) -> list[str]:
    named = pointers(kernel.kind, kernel.shape).items()
    types = [f"{'' if name in WRITTEN else 'const '}{element}_t *" for name, element in named]
    return [*types, *["int32_t"] * len(SIGNATURES[kernel.kind].scalars)]


def call_lines(memory: Memory, number: int, step: Step, members: Mapping[str, Constant]) -> list[str]:
    """The C statements of step `number`."""
    sources = [address(memory, name) for name in step.inputs]
    target = address(memory, step.output)
    constant = {kind: f"{memory.program.name}_weights.{member.member}" for kind, member in members.items()}
    match step.body:
        case Call() as call:
            symbol = own_symbol(memory.program.name, call.kernel)
            words, scalars = _arguments(call, sources, target, constant, memory.scratch.get(number))
            return [f"{symbol}(", f"    {', '.join(words)}{',' if scalars else ');'}", *_last(scalars)]
        case Head(kind="softmax", rows=rows, columns=columns):
            return [f"softmax({sources[0]}, {constant['table']}, {target}, {rows}, {columns});"]
        case Head(rows=rows, columns=columns):
            return [f"argmax({sources[0]}, {target}, {rows}, {columns});"]
        case Moves() as moves:
            return move_lines(memory.program, step, moves, sources, target)


def address(memory: Memory, buffer: str) -> str:
    """Where a buffer stands: the caller's pointer, or a place in the arena."""
    for port in (*memory.program.inputs, *memory.program.outputs):
        if port.buffer == buffer:
            return port.identifier
    place = f"arena_ + {memory.offsets[buffer]}"
    ctype = C_TYPES[memory.program.buffers[buffer].element]
    return place if ctype == "int8_t" else f"({ctype} *)(void *)({place})"


def _arguments(
    call: Call, sources: list[str], target: str, constant: Mapping[str, str], scratch: int | None
) -> tuple[list[str], list[str]]:
    """Pointers and scalars in the order of the kernel's signature."""
    inputs = iter(sources)
    written = {"y": target, "scratch": "0" if scratch is None else f"arena_ + {scratch}"}
    words = []
    for name in pointers(call.kernel.kind, call.kernel.shape):
        kind = _CONSTANT_OF.get(name, name)
        if kind in constant:
            words.append(constant[kind])
        elif name in written:
            words.append(written[name])
        else:
            words.append(next(inputs) if name in _ACTIVATIONS else "0")
    scalars = [str(value) for value in call.scalars]
    if call.kernel.kind == "add":
        a_zp, b_zp, *rest = scalars
        scalars = [a_zp, f"{constant['multiplier']}[0]", b_zp, f"{constant['multiplier']}[1]", *rest]
    return words, scalars


def _last(scalars: list[str]) -> list[str]:
    return [f"    {', '.join(scalars)});"] if scalars else []
