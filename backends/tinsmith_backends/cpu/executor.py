"""Renders a planned program as C: header, steps, constants, build file, self-test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinsmith_backends.cpu.calls import call_lines, parameters, prototypes
from tinsmith_backends.cpu.constants import DTYPES, Constant, struct_bytes
from tinsmith_backends.cpu.memory import Memory
from tinsmith_backends.cpu.program import C_TYPES, SCALED, Buffer, Head, Moves, Port, Program, Step

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"
LINE = 118
"""Longest line of generated tables."""


@dataclass(frozen=True)
class Names:
    """How the artefact's build file and comments name what stands beside them."""

    target: str
    kernels: str
    portable: bool = False


def render_sources(memory: Memory, members: Sequence[Constant], names: Names) -> dict[str, str]:
    """File name → text of the header, the steps and the constants."""
    context = network_context(memory, members, names)
    name = memory.program.name
    return {
        f"{name}.h": render("network.h.j2", context),
        f"{name}.c": render("network.c.j2", context),
        f"{name}_weights.h": render("weights.h.j2", context),
        f"{name}_weights.c": render("weights.c.j2", context),
    }


def render_build_files(memory: Memory, members: Sequence[Constant], names: Names) -> dict[str, str]:
    """File name → text of the CMake project and the self-test that it builds."""
    context = network_context(memory, members, names)
    return {
        "CMakeLists.txt": render("CMakeLists.txt.j2", context),
        f"{memory.program.name}_test.c": render("test.c.j2", context),
    }


def render(template: str, context: Mapping[str, Any]) -> str:
    """One template of templates/ with this context; an unknown name in it is an error."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def network_context(memory: Memory, members: Sequence[Constant], names: Names) -> dict[str, Any]:
    """Everything that the templates of the C sources read."""
    program = memory.program
    by_step = _constants_by_step(program, members)
    steps = [_step_context(memory, i, step, by_step[i]) for i, step in enumerate(program.steps)]
    text = "\n".join(line for step in steps for line in step["lines"])
    ports = [*program.inputs, *program.outputs]
    return {
        "name": program.name,
        "NAME": program.name.upper(),
        "target": names.target,
        "kernels": names.kernels,
        "kernels_note": f", link {names.kernels}" if names.kernels.endswith(".o") else f" and {names.kernels}",
        "portable": names.portable,
        "cross_note": _cross_note(names.target),
        "arena_bytes": memory.arena_bytes,
        "weight_bytes": struct_bytes(members) or 16,
        "inputs": [_port_context(memory, port) for port in program.inputs],
        "outputs": [_port_context(memory, port) for port in program.outputs],
        "parameters": parameters(program),
        "prototypes": prototypes(program),
        "constants": [_constant_context(constant) for constant in members],
        "steps": steps,
        "heads": {step.body.kind for step in program.steps if isinstance(step.body, Head)},
        "quantized": sorted({program.buffers[port.buffer].element for port in program.inputs}),
        "dequantized": sorted({e for p in program.outputs if (e := program.buffers[p.buffer].element) in SCALED}),
        "unused": [port.identifier for port in ports if not _uses(program, port)],
        "uses_arena": "arena_ + " in text,
    }


def _cross_note(target: str) -> str:
    return "" if target in ("x86-64", "c") else f"\n# (with a toolchain file for {target})"


def _uses(program: Program, port: Port) -> bool:
    return any(port.buffer in (*step.inputs, step.output) for step in program.steps)


def _constants_by_step(program: Program, members: Sequence[Constant]) -> list[dict[str, Constant]]:
    """The struct members of each step, by kind: `constants` lists them in this very order."""
    rest = iter(members)
    return [{kind: next(rest) for kind in step.constants} for step in program.steps]


def _step_context(memory: Memory, number: int, step: Step, members: Mapping[str, Constant]) -> dict[str, Any]:
    buffer = memory.program.buffers[step.output]
    where = f", {step.source}" if step.source else ""
    unit = "words of bits" if buffer.element == "uint32" else "values"
    return {
        "comment": comment(f"{step.op} {step.layer}{where}: {buffer.count} {unit} by {step.kernel}"),
        "lines": call_lines(memory, number, step, members),
        "block": isinstance(step.body, Moves),
    }


def _port_context(memory: Memory, port: Port) -> dict[str, Any]:
    buffer = memory.program.buffers[port.buffer]
    scaled = buffer.element in SCALED
    return {
        "identifier": port.identifier,
        "IDENTIFIER": port.identifier.upper(),
        "comment": comment(port.name),
        "element": buffer.element,
        "ctype": C_TYPES[buffer.element],
        "count": buffer.count,
        "shape": port.shape,
        "shape_text": "".join(f"[{n}]" for n in port.shape),
        "layout_text": layout_text(port),
        "scale_text": float_literal(port.scale) if scaled else "",
        "zero_point": port.zero_point,
        "lo": port.lo,
        "hi": port.hi,
        "offset": offset_of(memory, buffer),
    }


def offset_of(memory: Memory, buffer: Buffer) -> int | None:
    """Bytes from the start of the arena to the place of a buffer; None if it has none there."""
    return memory.offsets.get(buffer.name)


def layout_text(port: Port) -> str:
    """How the stored axes relate to the ONNX tensor's, in words; nothing where they are the same."""
    if port.axes == tuple(range(len(port.axes))):
        return ""
    if port.axes == (0, 2, 3, 1):
        return ", channels last (NHWC; the model has NCHW)"
    return f", axes {', '.join(map(str, port.axes))} of the model's tensor"


def float_literal(value: float) -> str:
    """A C literal that is this very binary32."""
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if any(c in text for c in ".e") else f"{text}.0f"


def comment(text: str) -> str:
    """Text that may stand in a C comment on one line."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")


def _constant_context(constant: Constant) -> dict[str, Any]:
    rows = table_rows(np.frombuffer(constant.data, DTYPES[constant.ctype]))
    return {**vars(constant), "count": constant.count, "comment": comment(constant.key), "rows": rows}


def table_rows(values: Any) -> list[str]:
    """Numbers as lines of a C initializer. The least int32 is written as a difference: C has no such literal."""
    words = [_number(v) for v in values.tolist()]
    rows: list[str] = []
    row = ""
    for word in words:
        if row and len(row) + len(word) + 2 > LINE - 8:
            rows.append(row)
            row = ""
        row = f"{row} {word}," if row else f"{word},"
    return [*rows, row] if row else rows


def _number(value: int | float) -> str:
    if isinstance(value, float):
        return float_literal(value)
    return "-2147483647 - 1" if value == -(2**31) else str(value)
