"""The instruction sets that kernels are written for: code generator, vector registers, how they are run in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tinsmith_backends.cpu.kernels.base import Isa


@dataclass(frozen=True)
class IsaInfo:
    """What the kernel templates and the TVM adapter need to know of one instruction set.

    Attributes:
        isa: its name.
        triple: LLVM target triple; empty for C source text.
        features: LLVM feature flags; an intrinsic whose feature is missing here kills the code generator.
        cpu: LLVM CPU name, empty for the triple's generic one.
        vector_bytes: bytes of a vector register; 0 where there are none.
        vector_registers: how many of them a program may use.
        generator_options: command line options of LLVM's code generator.
    """

    isa: Isa
    triple: str
    features: tuple[str, ...] = ()
    cpu: str = ""
    vector_bytes: int = 0
    vector_registers: int = 0
    generator_options: tuple[str, ...] = ()


ISAS: Mapping[Isa, IsaInfo] = MappingProxyType(
    {
        "avx2": IsaInfo("avx2", "x86_64-linux-gnu", cpu="x86-64-v3", vector_bytes=32, vector_registers=16),
        "neon": IsaInfo("neon", "aarch64-linux-gnu", ("+neon",), vector_bytes=16, vector_registers=32),
        "neondot": IsaInfo("neondot", "aarch64-linux-gnu", ("+neon", "+dotprod"), vector_bytes=16, vector_registers=32),
        # No division and no fused product: they came after the first processors with NEON. Without LLVM's machine
        # scheduler loads move away from their uses, and the sums of a tile out of the registers.
        "neon32": IsaInfo(
            "neon32",
            "armv7a-linux-gnueabihf",
            ("+neon", "+use-misched"),
            vector_bytes=16,
            vector_registers=16,
        ),
        # V8 keeps one or two of the 16 registers of x86-64 to itself. LLVM's loop strength reduction rewrites addresses
        # into sums that WebAssembly's constant offsets cannot express: two instructions more for most loads.
        "simd128": IsaInfo(
            "simd128",
            "wasm32-unknown-unknown",
            ("+simd128",),
            vector_bytes=16,
            vector_registers=14,
            generator_options=("-disable-lsr",),
        ),
        "dsp": IsaInfo("dsp", "thumbv7em-none-eabi", ("+dsp",), cpu="cortex-m4"),
        "scalar": IsaInfo("scalar", ""),
    }
)
"""Every instruction set by name; "scalar" is TVM's C code generator."""

NEON: tuple[Isa, ...] = ("neon", "neondot", "neon32")
"""Those of ARM processors with vectors; kernels/neon.py has their operations."""
