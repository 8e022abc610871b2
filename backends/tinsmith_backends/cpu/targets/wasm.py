"""WebAssembly with 128-bit SIMD."""

from __future__ import annotations

from tinsmith.backend import Target

from tinsmith_backends.cpu.targets.base import NODE, TVM, WASMTIME, ZIG, CpuTarget

_FLAGS = ("-target", "wasm32-freestanding", "-mcpu=generic+simd128+bulk_memory")

WASM = CpuTarget(
    target=Target(
        "wasm", "WebAssembly with SIMD128, one module and an npm package", "wasmtime", (TVM, ZIG, WASMTIME, NODE), 4
    ),
    isa="simd128",
    compile_flags=_FLAGS,
    run_flags=_FLAGS,
    runners=("wasmtime", "node"),
)
