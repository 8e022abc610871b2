"""Steps that only move elements, as C statements: nested loops over bytes, words, or single bits."""

from __future__ import annotations

from collections.abc import Sequence

from tinsmith_backends.cpu.program import C_TYPES, Move, Moves, Program, Step


def move_lines(program: Program, step: Step, moves: Moves, sources: Sequence[str], target: str) -> list[str]:
    """The statements of a block of their own; `sources` and `target` are the addresses of the step's buffers."""
    lines = [f"{_ctype(program, step.output)} *const to_ = {target};"]
    if moves.target_bits:
        words = program.buffers[step.output].count
        lines += [f"for (int32_t i_ = 0; i_ < {words}; i_++) {{", "    to_[i_] = 0;", "}"]
    for number, move in enumerate(moves.moves):
        ctype = _ctype(program, step.inputs[move.source])
        lines.append(f"const {ctype} *const from{number} = {sources[move.source]};")
        lines += _loops(move, number, target_bits=moves.target_bits)
    return lines


def _ctype(program: Program, buffer: str) -> str:
    return C_TYPES[program.buffers[buffer].element]


def _loops(move: Move, number: int, *, target_bits: bool) -> list[str]:
    """A loop of one turn is left out."""
    names = [f"i{number}_{depth}" for depth in range(len(move.loops))]
    turns = [(name, *loop) for name, loop in zip(names, move.loops, strict=True) if loop[0] > 1]
    lines = [
        "    " * depth + f"for (int32_t {name} = 0; {name} < {count}; {name}++) {{"
        for depth, (name, count, _, _) in enumerate(turns)
    ]
    read = _index([(name, step) for name, _, step, _ in turns], 0)
    write = _index([(name, step) for name, _, _, step in turns], move.offset)
    lines += ["    " * len(turns) + line for line in _element(move, number, read, write, target_bits=target_bits)]
    return [*lines, *("    " * depth + "}" for depth in reversed(range(len(turns))))]


def _element(move: Move, number: int, read: str, write: str, *, target_bits: bool) -> list[str]:
    """One element; a bit that is 1 stands for -1."""
    if not move.source_bits and not target_bits:
        return [f"to_[{write}] = from{number}[{read}];"]
    bit = f"(from{number}[({read}) / 32] >> (({read}) % 32)) & 1u" if move.source_bits else f"from{number}[{read}] < 0"
    set_bit = f"to_[({write}) / 32] |= bit_ << (({write}) % 32);"
    return [f"const uint32_t bit_ = {bit};", set_bit if target_bits else f"to_[{write}] = (int8_t)(1 - 2 * (int)bit_);"]


def _index(terms: list[tuple[str, int]], offset: int) -> str:
    words = [name if step == 1 else f"{name} * {step}" for name, step in terms]
    return " + ".join([*words, *([str(offset)] if offset or not words else [])])
