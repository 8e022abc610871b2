"""What a CPU target is: an instruction set for the kernels, compiler flags for the C around them, and who runs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from tinsmith.backend import Target, Tool

from tinsmith_backends.cpu.kernels.base import Isa


@dataclass(frozen=True)
class CpuTarget:
    """One target of this backend.

    Attributes:
        target: what the command line shows of it.
        isa: instruction set of the kernels.
        compile_flags: of `zig cc`, for the C around the kernels, as the device would run it.
        run_flags: of `zig cc`, for the program that `verify` runs; the same, but for an operating system.
        runners: how it can be run, its own runner first.
        portable: whether the artefact also holds the network as the target `c` has it.
    """

    target: Target
    isa: Isa
    compile_flags: tuple[str, ...]
    run_flags: tuple[str, ...]
    runners: tuple[str, ...]
    portable: bool = False


NATIVE_STEPS = 4
"""Steps that `build` announces for a C artefact: kernels chosen, memory planned, kernels compiled, code measured."""


def package(name: str, install: str, needed_for: str = "compile") -> Tool:
    """A Python package, found by its metadata without importing it."""

    def found() -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return Tool(name, found, install, needed_for)


def program(name: str, install: str, needed_for: str = "verify") -> Tool:
    """A program on the search path; its place stands for its version, since asking for that would mean running it."""
    found: Callable[[], str | None] = lambda: shutil.which(name)  # noqa: E731
    return Tool(name, found, install, needed_for)


TVM = package("apache-tvm", "pip install 'tinsmith[cpu]'")
ZIG = package("ziglang", "pip install 'tinsmith[cpu]'")
WASMTIME = package("wasmtime", "pip install 'tinsmith[cpu]'", "verify")
NODE = program("node", "apt-get install nodejs", "verify --runner node")
"""Tools by name. Each target lists the ones that it needs."""


def qemu(machine: str) -> Tool:
    """The user-mode emulator for one machine."""
    return program(f"qemu-{machine}", "apt-get install qemu-user", "verify")
