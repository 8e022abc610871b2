"""program.json: what stands where in an artefact, for tools that run it and for people who debug it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinsmith.errors import TinsmithError

from tinsmith_backends.cpu.constants import Constant, struct_bytes
from tinsmith_backends.cpu.layout import loops
from tinsmith_backends.cpu.memory import Memory
from tinsmith_backends.cpu.program import SCALED, Buffer, Port, Program, Step, View

FILE = "program.json"
FORMAT = 2
"""Raised when a key changes its meaning."""


def describe(memory: Memory, members: Sequence[Constant], target: str) -> str:
    """The text of program.json. Sizes and offsets are bytes; docs/build-folder.md describes each key."""
    program = memory.program
    content = {
        "format": FORMAT,
        "name": program.name,
        "target": target,
        "arena_bytes": memory.arena_bytes,
        "arena_lower_bound_bytes": memory.lower_bound_bytes,
        "inputs": [_port(port, "quantize") for port in program.inputs],
        "outputs": [_port(port, _output_function(program, port)) for port in program.outputs],
        "buffers": {name: _buffer(memory, buffer) for name, buffer in program.buffers.items()},
        "tensors": {name: _view(view) for name, view in program.views.items()},
        "steps": [_step(step, memory.scratch.get(i)) for i, step in enumerate(program.steps)],
        "constants": [{"key": c.key, "offset": c.offset, "bytes": len(c.data)} for c in members],
        "constants_bytes": struct_bytes(members),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def read_description(folder: Path) -> dict[str, Any]:
    """program.json of a build folder; `TinsmithError` when it is missing or not ours."""
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TinsmithError(
            f"cannot read the program's description: {error}", where=str(path), fix="compile again"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise TinsmithError("the build is of another version of Tinsmith", where=str(path), fix="compile again")
    return content


def _output_function(program: Program, port: Port) -> str | None:
    return "dequantize" if program.buffers[port.buffer].element in SCALED else None


def _port(port: Port, function: str | None) -> Mapping[str, Any]:
    return {**vars(port), "shape": list(port.shape), "axes": list(port.axes), "function": function}


def _buffer(memory: Memory, buffer: Buffer) -> Mapping[str, Any]:
    return {
        "element": buffer.element,
        "count": buffer.count,
        "role": buffer.role,
        "offset": memory.offsets.get(buffer.name),
    }


def _view(view: View) -> Mapping[str, Any]:
    """`order` as a loop nest, outermost first: stored elements count through it to their ONNX positions."""
    nest = loops(view.order)
    if nest is None:
        raise RuntimeError(f"{view.buffer} stands in an order without a loop nest")
    return {"buffer": view.buffer, "order": [list(loop) for loop in nest], "row": view.row}


def _step(step: Step, scratch: int | None) -> Mapping[str, Any]:
    return {
        "layer": step.layer,
        "source": step.source,
        "op": step.op,
        "kernel": step.kernel,
        "tensor": step.tensor,
        "inputs": list(step.inputs),
        "output": step.output,
        "scratch_bytes": step.scratch,
        "scratch_offset": scratch,
    }
