"""Cortex-M4 and M7: thumbv7em with DSP instructions, soft-float ABI, bare metal."""

from __future__ import annotations

from tinsmith.backend import Target

from tinsmith_backends.cpu.targets.base import NATIVE_STEPS, TVM, ZIG, CpuTarget, qemu

CORTEX_M = CpuTarget(
    target=Target(
        "cortex-m",
        "Cortex-M4, M7, M33 with DSP instructions, object and C, and portable C",
        "qemu-arm",
        (TVM, ZIG, qemu("arm")),
        NATIVE_STEPS + 1,
    ),
    isa="dsp",
    compile_flags=("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4"),
    run_flags=("-target", "arm-linux-musleabihf", "-mcpu=cortex_a15"),
    runners=("qemu-arm", "native"),
    portable=True,
)
"""Linux programs for ARM may call Thumb code, so qemu's user mode runs the very object that goes onto the device.
`native` runs the portable C that stands beside it."""
