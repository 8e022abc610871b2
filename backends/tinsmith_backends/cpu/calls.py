"""One step of a program as C statements, and the C names of what it touches."""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith_backends.cpu.constants import Constant
from tinsmith_backends.cpu.memory import Memory
from tinsmith_backends.cpu.program import Call, Head, Move, Moves, Program, Step
from tinsmith_backends.cpu.symbols import own_symbol

_WEIGHTED = "const int8_t *, const int8_t *, const int32_t *, const int32_t *, int8_t *, int8_t *"
_SCALARS = {"weighted": 5, "averagepool": 5, "requantize": 5, "maxpool": 0, "add": 8}
_POINTERS = {
    "weighted": _WEIGHTED,
    "averagepool": "const int8_t *, const int32_t *, int8_t *",
    "requantize": "const int8_t *, const int32_t *, int8_t *",
    "maxpool": "const int8_t *, int8_t *",
    "add": "const int8_t *, const int8_t *, int8_t *",
}
_TYPES = {"int8": "int8_t", "float32": "float", "int64": "int64_t"}


def parameters(program: Program) -> str:
    """The parameters of `run` and `step` after the arena: inputs, then outputs."""
    words = [f"const int8_t *{port.identifier}" for port in program.inputs]
    words += [f"{_TYPES[program.buffers[port.buffer].element]} *{port.identifier}" for port in program.outputs]
    return ", ".join(words)


def prototypes(program: Program) -> list[str]:
    """Declarations of the kernels that the program calls, each once: see kernels/base.py."""
    found: dict[str, str] = {}
    for step in program.steps:
        if isinstance(step.body, Call):
            form = _form(step.body)
            arguments = ", ".join([_POINTERS[form], *["int32_t"] * _SCALARS[form]])
            symbol = own_symbol(program.name, step.body.kernel)
            found[symbol] = f"int32_t {symbol}({arguments});"
    return [found[symbol] for symbol in sorted(found)]


def _form(call: Call) -> str:
    kind = call.kernel.kind
    return kind if kind in _POINTERS else "weighted"


def call_lines(memory: Memory, number: int, step: Step, members: Mapping[str, Constant]) -> list[str]:
    """The C statements of step `number`."""
    sources = [address(memory, name) for name in step.inputs]
    target = address(memory, step.output)
    constant = {kind: f"{memory.program.name}_weights.{member.member}" for kind, member in members.items()}
    match step.body:
        case Call() as call:
            symbol = own_symbol(memory.program.name, call.kernel)
            pointers, scalars = _arguments(call, sources, target, constant, memory.scratch.get(number))
            return [f"{symbol}(", f"    {', '.join(pointers)}{',' if scalars else ');'}", *_last(scalars)]
        case Head(kind="softmax", rows=rows, columns=columns):
            return [f"softmax({sources[0]}, {constant['table']}, {target}, {rows}, {columns});"]
        case Head(rows=rows, columns=columns):
            return [f"argmax({sources[0]}, {target}, {rows}, {columns});"]
        case Moves(moves=moves):
            return [line for i, move in enumerate(moves) for line in _move(move, i, sources[move.source], target)]


def address(memory: Memory, buffer: str) -> str:
    """Where a buffer stands: the caller's pointer, or a place in the arena."""
    for port in (*memory.program.inputs, *memory.program.outputs):
        if port.buffer == buffer:
            return port.identifier
    return f"arena_ + {memory.offsets[buffer]}"


def _arguments(
    call: Call, sources: list[str], target: str, constant: Mapping[str, str], scratch: int | None
) -> tuple[list[str], list[str]]:
    """Pointers and scalars in the order of the kernel's signature."""
    scalars = [str(value) for value in call.scalars]
    match _form(call):
        case "weighted":
            place = "0" if scratch is None else f"arena_ + {scratch}"
            weights = [constant[kind] for kind in ("weight", "bias", "multiplier")]
            return [*sources, *weights, target, place], scalars
        case "add":
            a_zp, b_zp, *rest = scalars
            multiplier = constant["multiplier"]
            return [*sources, target], [a_zp, f"{multiplier}[0]", b_zp, f"{multiplier}[1]", *rest]
        case "maxpool":
            return [sources[0], target], []
        case _:
            return [sources[0], constant["multiplier"], target], scalars


def _last(scalars: list[str]) -> list[str]:
    return [f"    {', '.join(scalars)});"] if scalars else []


def _move(move: Move, number: int, source: str, target: str) -> list[str]:
    """Nested loops that copy single bytes; a loop of one turn is left out."""
    names = [f"i{number}_{depth}" for depth in range(len(move.loops))]
    turns = [(name, *loop) for name, loop in zip(names, move.loops, strict=True) if loop[0] > 1]
    lines = [f"const int8_t *const from{number} = {source};", f"int8_t *const to{number} = {target};"]
    for depth, (name, count, _, _) in enumerate(turns):
        lines.append("    " * depth + f"for (int32_t {name} = 0; {name} < {count}; {name}++) {{")
    read = _index([(name, step) for name, _, step, _ in turns], 0)
    write = _index([(name, step) for name, _, _, step in turns], move.offset)
    lines.append("    " * len(turns) + f"to{number}[{write}] = from{number}[{read}];")
    lines += ["    " * depth + "}" for depth in reversed(range(len(turns)))]
    return lines


def _index(terms: list[tuple[str, int]], offset: int) -> str:
    words = [name if step == 1 else f"{name} * {step}" for name, step in terms]
    return " + ".join([*words, *([str(offset)] if offset or not words else [])])
