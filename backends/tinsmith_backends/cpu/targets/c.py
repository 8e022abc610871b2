"""Portable C11, for every compiler and machine."""

from __future__ import annotations

from tinsmith.backend import Target

from tinsmith_backends.cpu.targets.base import NATIVE_STEPS, TVM, ZIG, CpuTarget

C = CpuTarget(
    target=Target("c", "portable C11 source", "native", (TVM, ZIG), NATIVE_STEPS),
    isa="scalar",
    compile_flags=("-target", "x86_64-linux-musl"),
    run_flags=(),
    runners=("native",),
)
"""Its code size is that of x86-64, so that reports from different machines agree."""
