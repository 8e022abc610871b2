"""The targets of the CPU backend, one file a family."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tinsmith_backends.cpu.targets.arm import ARM64, ARM64_DOTPROD, ARMV7
from tinsmith_backends.cpu.targets.base import CpuTarget
from tinsmith_backends.cpu.targets.c import C
from tinsmith_backends.cpu.targets.cortex_m import CORTEX_M
from tinsmith_backends.cpu.targets.wasm import WASM
from tinsmith_backends.cpu.targets.x86 import X86_64

__all__ = ["TARGETS", "CpuTarget"]

TARGETS: Mapping[str, CpuTarget] = MappingProxyType(
    {cpu.target.name: cpu for cpu in (X86_64, ARM64, ARM64_DOTPROD, ARMV7, WASM, C, CORTEX_M)}
)
"""Every target by name, in the order in which the command line lists them."""
