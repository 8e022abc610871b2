"""Finds the runner for a build: natively, under an emulator, or in a WebAssembly engine."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from tinsmith.backend import Runner
from tinsmith.errors import TinsmithError
from tinsmith.ir.exact import ExactGraph

from tinsmith_backends.cpu.readout import Readout
from tinsmith_backends.cpu.targets import TARGETS, CpuTarget

_MACHINES = {"x86-64": ("x86_64", "AMD64"), "arm64": ("aarch64",), "arm64-dotprod": ("aarch64",), "armv7": ("armv7l",)}
"""Machines that run a target's programs natively, as Python names them; targets that are not here run anywhere."""
_CPU_MODEL = {"qemu-arm": ("-cpu", "max"), "qemu-aarch64": ("-cpu", "max"), "qemu-x86_64": ("-cpu", "max")}


def make_runner(build: Path, graph: ExactGraph, cpu: CpuTarget, runner: str | None) -> Runner:
    """The runner called `runner`, or the best one for this machine.

    Raises `TinsmithError` when the target has no such runner, or the tool that it needs is missing.
    """
    name = runner if runner is not None else default_runner(cpu)
    if name not in cpu.runners:
        raise TinsmithError(
            f"{cpu.target.name} has no runner called {name!r}", where="--runner", fix=f"one of {', '.join(cpu.runners)}"
        )
    readout = Readout(build, graph)
    if name == "wasmtime":
        from tinsmith_backends.cpu.run_wasmtime import WasmtimeRunner

        return WasmtimeRunner(build, readout)
    if name == "node":
        from tinsmith_backends.cpu.run_node import NodeRunner

        return NodeRunner(build, readout, _program("node", "apt-get install nodejs, or --runner wasmtime"))
    if cpu.portable:
        return _both(build, graph, cpu, readout, run_portable=name == "native")
    return _process(name, build, readout, cpu)


def _process(name: str, build: Path, readout: Readout, cpu: CpuTarget) -> Runner:
    from tinsmith_backends.cpu.run_process import ProcessRunner

    return ProcessRunner(name, build, readout, cpu.run_flags, _command(name, cpu))


def _both(build: Path, graph: ExactGraph, cpu: CpuTarget, readout: Readout, *, run_portable: bool) -> Runner:
    """The device's form under its emulator and the portable one on this machine."""
    from tinsmith_backends.cpu.run_both import PORTABLE, BothRunner

    device = _process(cpu.runners[0], build, readout, cpu)
    folder = build / PORTABLE
    portable = _process("native", folder, Readout(folder, graph), TARGETS["c"])
    return BothRunner(device, portable, run_portable=run_portable)


def default_runner(cpu: CpuTarget) -> str:
    """The target's own runner, or its other one where a native target meets a foreign machine or the reverse."""
    if "native" not in cpu.runners or len(cpu.runners) == 1 or cpu.portable:
        return cpu.runners[0]
    emulator = next(name for name in cpu.runners if name != "native")
    return "native" if _runs_here(cpu) else emulator


def _runs_here(cpu: CpuTarget) -> bool:
    machines = _MACHINES.get(cpu.target.name)
    return machines is None or (sys.platform == "linux" and platform.machine() in machines)


def _command(name: str, cpu: CpuTarget) -> tuple[str, ...]:
    """What stands before the program on the command line."""
    if name != "native":
        return (_program(name, "apt-get install qemu-user"), *_CPU_MODEL[name])
    if not _runs_here(cpu):
        raise TinsmithError(
            f"{cpu.target.name} does not run natively on {sys.platform} {platform.machine()}",
            where="--runner native",
            fix=f"--runner {next(other for other in cpu.runners if other != 'native')}",
        )
    return ()


def _program(name: str, fix: str) -> str:
    """The path of a program; `TinsmithError` with the command that brings it when it is missing."""
    path = shutil.which(name)
    if path is None:
        raise TinsmithError(f"the program {name} is missing", why="it runs the artefact", fix=fix)
    return path
