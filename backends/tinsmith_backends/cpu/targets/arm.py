"""64-bit ARM, with and without the dot product instructions, and 32-bit ARM."""

from __future__ import annotations

from tinsmith.backend import Target

from tinsmith_backends.cpu.targets.base import NATIVE_STEPS, TVM, ZIG, CpuTarget, qemu

_FLAGS = ("-target", "aarch64-linux-musl", "-mcpu=generic")
_TOOLS = (TVM, ZIG, qemu("aarch64"))

ARM64 = CpuTarget(
    target=Target("arm64", "64-bit ARM with NEON, object and C", "qemu-aarch64", _TOOLS, NATIVE_STEPS),
    isa="neon",
    compile_flags=_FLAGS,
    run_flags=_FLAGS,
    runners=("qemu-aarch64", "native"),
)
ARM64_DOTPROD = CpuTarget(
    target=Target(
        "arm64-dotprod", "64-bit ARM with NEON dot products, object and C", "qemu-aarch64", _TOOLS, NATIVE_STEPS
    ),
    isa="neondot",
    compile_flags=_FLAGS,
    run_flags=_FLAGS,
    runners=("qemu-aarch64", "native"),
)

# C has no vectors on 32-bit ARM: those of floats would flush subnormals to zero.
_FLAGS32 = ("-target", "arm-linux-musleabihf", "-mcpu=generic+v7a+vfp3d16")

ARMV7 = CpuTarget(
    target=Target(
        "armv7",
        "32-bit ARM with NEON (ARMv7-A, hard float), object and C",
        "qemu-arm",
        (TVM, ZIG, qemu("arm")),
        NATIVE_STEPS,
    ),
    isa="neon32",
    compile_flags=_FLAGS32,
    run_flags=_FLAGS32,
    runners=("qemu-arm", "native"),
)
