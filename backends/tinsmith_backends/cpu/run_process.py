"""Runs a C artefact as a program of this machine or under qemu's user mode."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError

from tinsmith_backends.cpu.executor import TEMPLATES, render
from tinsmith_backends.cpu.objects import C_FLAGS, zig_cc
from tinsmith_backends.cpu.program import C_TYPES, ELEMENT_BYTES, SCALED
from tinsmith_backends.cpu.readout import Readout
from tinsmith_backends.cpu.streams import read_constants, run_samples, run_times


class ProcessRunner:
    """Links the artefact's files with a small driver into a static program, in a temporary folder of its own."""

    def __init__(
        self, name: str, build: Path, readout: Readout, flags: Sequence[str], command: tuple[str, ...]
    ) -> None:
        self.name = name
        self._readout = readout
        self._folder = tempfile.TemporaryDirectory(prefix="tinsmith-")
        program = link(build, readout, Path(self._folder.name), flags)
        self._command = (*command, str(program))

    def constants(self) -> Mapping[str, bytes]:
        """Read from the linked program, by `layer/kind`."""
        return read_constants(self._command, self._readout)

    def run(self, samples: Sequence[Arrays], *, layers: bool = True) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """See `tinsmith.backend.Runner`. With `layers`, layers come from `step` and the graph's outputs from `run`."""
        return run_samples(self._command, self._readout, samples, layers=layers)

    def time(self, sample: Arrays, *, repeats: int) -> list[float]:
        """Seconds of each inference by the monotonic clock; under qemu, the emulation's."""
        return run_times(self._command, self._readout, sample, repeats)


def link(build: Path, readout: Readout, folder: Path, flags: Sequence[str]) -> Path:
    """The artefact and its driver as one program in `folder`."""
    name = readout.name
    (folder / "harness.c").write_text(render("harness.c.j2", harness_context(readout)), encoding="utf-8")
    kernels = next((build / f for f in (f"{name}_kernels.o", f"{name}_kernels.c") if (build / f).exists()), None)
    sources = [build / f"{name}.c", build / f"{name}_weights.c"]
    missing = [path.name for path in sources if not path.exists()]
    if kernels is None or missing:
        what = ", ".join(missing) or f"{name}_kernels.o"
        raise TinsmithError(f"the build lacks {what}", where=str(build), fix="compile again")
    bare = _bare_linux(flags)
    system = ["-static", "-nostdlib", "-ffreestanding", "-DTINSMITH_BARE_LINUX"] if bare else []
    files = [str(path.resolve()) for path in (*sources, kernels)]
    warnings = [flag for flag in C_FLAGS if not flag.startswith("-W")]
    arguments = [
        *flags,
        *warnings,
        *system,
        f"-I{TEMPLATES}",
        f"-I{build.resolve()}",
        "harness.c",
        *files,
        "-o",
        "harness",
    ]
    zig_cc(arguments, folder, f"the artefact {name}")
    return folder / "harness"


def _bare_linux(flags: Sequence[str]) -> bool:
    """Whether the program runs on Linux on a machine whose system calls templates/harness_linux.h knows."""
    return bool(flags) or (sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"))


def harness_context(readout: Readout) -> dict[str, Any]:
    """What templates/harness.c.j2 reads."""
    buffers, ports = readout.description["buffers"], [*readout.inputs, *readout.outputs]
    names = {port["buffer"]: f"{'in' if port in readout.inputs else 'out'}_{port['identifier']}" for port in ports}
    arena = readout.description["arena_bytes"]
    guarded = [{"name": "arena", "ctype": "int8_t", "bytes": arena, "written": True, "what": "arena"}]
    for port in ports:
        element = buffers[port["buffer"]]["element"]
        guarded.append(
            {
                "name": names[port["buffer"]],
                "ctype": C_TYPES[element],
                "bytes": readout.size(port["buffer"]),
                "written": port in readout.outputs,
                "what": f"output {port['identifier']}",
            }
        )
    return {
        "name": readout.name,
        "NAME": readout.name.upper(),
        "guarded": guarded,
        "real_count": max([1, *(buffers[port["buffer"]]["count"] for port in ports)]),
        "arguments": ", ".join(["arena", *(names[port["buffer"]] for port in ports)]),
        "inputs": [_port(buffers, port) for port in readout.inputs],
        "outputs": [_port(buffers, port) for port in readout.outputs],
        "steps": [
            {"address": _address(buffers, names, step["output"]), "bytes": readout.size(step["output"])}
            for step in readout.steps
        ],
    }


def _port(buffers: Mapping[str, Any], port: Mapping[str, Any]) -> dict[str, Any]:
    buffer = buffers[port["buffer"]]
    return {
        "identifier": port["identifier"],
        "count": buffer["count"],
        "ctype": C_TYPES[buffer["element"]],
        "dequantized": buffer["element"] in SCALED,
        "bytes": buffer["count"] * ELEMENT_BYTES[buffer["element"]],
    }


def _address(buffers: Mapping[str, Any], names: Mapping[str, str], buffer: str) -> str:
    return names.get(buffer) or f"arena + {buffers[buffer]['offset']}"
