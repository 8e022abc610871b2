"""x86-64 with AVX2 (x86-64-v3)."""

from __future__ import annotations

from tinsmith.backend import Target

from tinsmith_backends.cpu.targets.base import NATIVE_STEPS, TVM, ZIG, CpuTarget

_FLAGS = ("-target", "x86_64-linux-musl", "-mcpu=x86_64_v3")

X86_64 = CpuTarget(
    target=Target("x86-64", "x86-64 with AVX2 (x86-64-v3), object and C", "native", (TVM, ZIG), NATIVE_STEPS),
    isa="avx2",
    compile_flags=_FLAGS,
    run_flags=_FLAGS,
    runners=("native", "qemu-x86_64"),
)
