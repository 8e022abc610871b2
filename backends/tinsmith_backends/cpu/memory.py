"""Where each buffer of a program stands: step order, storage shared in place, offsets in one arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinsmith.plan.arena import lay_out
from tinsmith.plan.blocks import Block, lower_bound
from tinsmith.plan.order import Use, order_steps

from tinsmith_backends.cpu.program import Buffer, Program

SCRATCH_ALIGNMENT = 16
"""Kernels read scratch in whole vectors."""
ALIGNMENT = {"int8": 1, "int16": 2, "int32": 4, "uint32": 4}
"""Elements that stand in the arena; kernels read activations element by element, or in vectors at any address."""


@dataclass(frozen=True)
class Memory:
    """Offsets in the arena, in bytes.

    Attributes:
        program: the program in the order that was planned.
        offsets: of every buffer of bytes or packed bits. Those of the network's inputs and outputs are places that
            the caller may use; they hold nothing else from the start to the last read, and from the first write to
            the end.
        scratch: offset of the scratch of each step that has any, by step number.
        arena_bytes: what the caller provides.
        lower_bound_bytes: the largest sum of buffers alive at one step, scratch not counted.
    """

    program: Program
    offsets: Mapping[str, int]
    scratch: Mapping[int, int]
    arena_bytes: int
    lower_bound_bytes: int


def plan(program: Program) -> Memory:
    """Order the steps, let outputs take the place of inputs that die, and place everything in one arena."""
    program = ordered(program)
    placed = {b.name: b for b in program.buffers.values() if b.element in ALIGNMENT}
    life = _lifetimes(program, placed)
    owner = _share(program, placed, life)
    blocks = _blocks(placed, life, owner)
    scratch = [
        Block(f"scratch of step {i}", step.scratch, i, i, SCRATCH_ALIGNMENT)
        for i, step in enumerate(program.steps)
        if step.scratch
    ]
    arena = lay_out([*blocks, *scratch])
    return Memory(
        program=program,
        offsets={name: arena.offsets[owner[name]] for name in placed},
        scratch={block.first: arena.offsets[block.name] for block in scratch},
        arena_bytes=arena.size,
        lower_bound_bytes=lower_bound(blocks),
    )


def ordered(program: Program) -> Program:
    """The program with its steps in the order that needs the least memory."""
    uses = [Use(step.inputs, (step.output,)) for step in program.steps]
    sizes = {name: buffer.size for name, buffer in program.buffers.items()}
    kept = frozenset(port.buffer for port in program.outputs)
    order = order_steps(uses, sizes, kept)
    return replace(program, steps=tuple(program.steps[i] for i in order))


def _lifetimes(program: Program, placed: Mapping[str, Buffer]) -> dict[str, tuple[int, int]]:
    """First and last step of each buffer: inputs live from before the first step, outputs beyond the last."""
    end = len(program.steps)
    life: dict[str, tuple[int, int]] = {}
    for name, buffer in placed.items():
        writes = [i for i, step in enumerate(program.steps) if step.output == name]
        reads = [i for i, step in enumerate(program.steps) if name in step.inputs]
        first = 0 if buffer.role == "input" else min(writes)
        life[name] = (first, end if buffer.role == "output" else max([first, *reads]))
    return life


def _share(program: Program, placed: Mapping[str, Buffer], life: dict[str, tuple[int, int]]) -> dict[str, str]:
    """For each buffer the one whose storage it uses; `life` of an owner grows to cover all that use it.

    Only buffers of the arena take part: the caller's input is read-only, and the caller's output may be anywhere.
    """
    owner = {name: name for name in placed}
    for number, step in enumerate(program.steps):
        if step.output not in placed or placed[step.output].role != "arena":
            continue
        for position in step.in_place:
            source = step.inputs[position]
            root = owner[source]
            dies_here = life[root][1] == number
            if placed[source].role == "arena" and dies_here and placed[root].size >= placed[step.output].size:
                owner[step.output] = root
                life[root] = (life[root][0], life[step.output][1])
                break
    return owner


def _blocks(placed: Mapping[str, Buffer], life: Mapping[str, tuple[int, int]], owner: Mapping[str, str]) -> list[Block]:
    return [
        Block(name, buffer.size, *life[name], ALIGNMENT[buffer.element])
        for name, buffer in placed.items()
        if owner[name] == name
    ]
