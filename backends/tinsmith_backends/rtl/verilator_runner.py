"""Simulates a machine as a C++ program that Verilator makes of it: some hundred times faster than Icarus."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from itertools import pairwise

from tinsmith.errors import TinsmithError

from tinsmith_backends.rtl.rendering import render
from tinsmith_backends.rtl.runner import MachineRunner, need
from tinsmith_backends.rtl.targets import COMPILER, VERILATOR
from tinsmith_backends.synthesis.tools import run_verilator

HARNESS, PROGRAM = "harness.cpp", "machine"


class VerilatorRunner(MachineRunner):
    """The machine and a C++ harness, compiled once."""

    name = "verilator"

    def _simulate(self, words: Mapping[str, list[list[str]]], samples: int) -> None:
        program = self._work / "obj_dir" / PROGRAM
        if not program.exists():
            self._compile()
        for port, inferences in words.items():
            lines = [word for inference in inferences for word in inference]
            (self._work / f"{port}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        latency, interval = self._description["latency"], self._description["interval"]
        limit = 10_000 + 4 * (latency + interval * samples)
        command = [str(program), str(samples), str(limit)]
        done = subprocess.run(command, cwd=self._work, capture_output=True, text=True, check=False)
        ends = [int(line) for line in done.stdout.split()]
        if done.returncode or len(ends) != samples:
            why = done.stderr.strip() or f"{len(ends)} of {samples} inferences were complete after {limit} clocks"
            raise TinsmithError("the simulation failed", where=str(self._build), why=why)
        # The last interval has nothing behind it, and may be shorter.
        later = [after - before for before, after in pairwise(ends)][self._description["filling"] : -1]
        longest = max(later, default=interval)
        if ends[0] != latency or longest != interval:
            what = f"latency {ends[0]} and interval {longest}"
            why = f"latency {latency} and interval {interval} were promised"
            raise TinsmithError(f"the machine takes other clocks: {what}", where=str(self._build), why=why)

    def _compile(self) -> None:
        need(VERILATOR, COMPILER)
        told = {key: self._description[key] for key in ("inputs", "outputs", "latency")}
        top = self._description["top"]
        (self._work / HARNESS).write_text(render("harness.cpp.j2", **told), encoding="utf-8")
        sources = sorted(str(path.relative_to(self._work)) for path in (self._work / "src").glob("*.sv"))
        make = ["-j", "2", "-O3", "-CFLAGS", "-O1", "-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include"]
        options = [
            "--cc",
            "--exe",
            "--build",
            "--prefix",
            "Machine",
            "--top-module",
            top,
            "-o",
            PROGRAM,
            "-DTINSMITH_TRACE",
            *make,
        ]
        run_verilator([*options, HARNESS, *sources], self._work)
