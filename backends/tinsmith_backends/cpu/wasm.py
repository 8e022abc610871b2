"""The WebAssembly artefact: one module without imports, and the npm package around it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinsmith_backends.cpu.constants import Constant
from tinsmith_backends.cpu.executor import Names, layout_text, network_context, render, render_sources
from tinsmith_backends.cpu.memory import Memory
from tinsmith_backends.cpu.objects import C_FLAGS, zig_cc
from tinsmith_backends.cpu.program import SCALED

STACK_BYTES = 32768
"""Kernels keep a few registers' worth on the stack; the module traps if that were ever not enough."""
JS_ARRAYS = {"int8_t": "Int8Array", "float": "Float32Array", "int64_t": "BigInt64Array"}


def link_module(
    memory: Memory, members: Sequence[Constant], names: Names, kernels: bytes, flags: Sequence[str]
) -> bytes:
    """Compile and link the module; the same program gives the same bytes."""
    name = memory.program.name
    sources = render_sources(memory, members, names)
    sources["module.c"] = render("module.c.j2", network_context(memory, members, names))
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as temporary:
        folder = Path(temporary)
        for file, text in sources.items():
            (folder / file).write_text(text, encoding="utf-8")
        (folder / "kernels.o").write_bytes(kernels)
        link = [
            "-nostdlib",
            "-Wl,--no-entry",
            "-Wl,--strip-all",
            f"-Wl,-z,stack-size={STACK_BYTES}",
            "-Wl,--gc-sections",
        ]
        exports = [f"-Wl,--export={symbol}" for symbol in exported(memory)]
        inputs = ["module.c", f"{name}.c", f"{name}_weights.c", "kernels.o"]
        zig_cc([*flags, *C_FLAGS, *link, *exports, *inputs, "-o", "module.wasm"], folder, f"{name}.wasm")
        return (folder / "module.wasm").read_bytes()


def exported(memory: Memory) -> list[str]:
    """Symbols that the module exports besides its memory: functions, and the addresses of buffers."""
    program = memory.program
    symbols = ["run", "step", "arena", f"{program.name}_weights"]
    for port in program.inputs:
        symbols += [f"quantize_{port.identifier}", f"{port.identifier}_stored", f"{port.identifier}_real"]
    for port in program.outputs:
        symbols.append(f"{port.identifier}_stored")
        if program.buffers[port.buffer].element in SCALED:
            symbols += [f"dequantize_{port.identifier}", f"{port.identifier}_real"]
    return symbols


def render_package(memory: Memory, members: Sequence[Constant], names: Names) -> dict[str, str]:
    """File name → text of the npm package: package.json, index.mjs, index.d.ts."""
    context = {**network_context(memory, members, names), "ports": _ports(memory), "dumps": json.dumps}
    return {
        "package.json": render("package.json.j2", context),
        "index.mjs": render("index.mjs.j2", context),
        "index.d.ts": render("index.d.ts.j2", context),
    }


def _ports(memory: Memory) -> Mapping[str, list[dict[str, Any]]]:
    """Inputs and outputs as JavaScript sees them: real values, or indices."""
    program = memory.program
    result: dict[str, list[dict[str, Any]]] = {"inputs": [], "outputs": []}
    for key, ports in (("inputs", program.inputs), ("outputs", program.outputs)):
        for port in ports:
            index = program.buffers[port.buffer].element == "int64"
            result[key].append(
                {
                    "name": port.name,
                    "identifier": port.identifier,
                    "shape": list(port.shape),
                    "array": "BigInt64Array" if index else "Float32Array",
                    "real": "real" if program.buffers[port.buffer].element in SCALED else "stored",
                    "layout": layout_text(port),
                }
            )
    return result
