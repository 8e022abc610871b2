"""Runs the bench of an RTL build with a waveform, and draws its streams: which move, wait and starve, clock by clock.

python wave.py FOLDER        # leaves FOLDER.vcd and FOLDER.png
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

TEST = "inferences_back_to_back"
STATES = {"moves": "#2a9d8f", "waits for the reader": "#e9a13b"}
INFERENCES = 3
"""How many of them the picture shows."""

Bits = npt.NDArray[np.bool_]


def record(build: Path, vcd: Path) -> None:
    """Run one test of the build's own bench in Icarus, with all streams of the top module in a .vcd file."""
    top = json.loads((build / "tinsmith.json").read_text())["top"]
    with tempfile.TemporaryDirectory() as place:
        work = shutil.copytree(build, Path(place) / "build")
        dump = f'module dump; initial begin $dumpfile("{vcd.resolve()}"); $dumpvars(1, {top}); end endmodule\n'
        (work / "src" / "dump.sv").write_text(dump)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "COCOTB_TEST_FILTER": TEST}
        subprocess.run(["make", "test", "COMPILE_ARGS=-s dump"], cwd=work, env=environment, check=True)


def read_streams(vcd: Path) -> tuple[dict[str, Bits], dict[str, Bits]]:
    """valid and ready of each stream at every rising edge of the clock, as they were just before it."""
    names: dict[str, str] = {}
    levels: dict[str, bool] = {}
    rows: list[dict[str, bool]] = []
    before: dict[str, bool] = {}
    for line in vcd.read_text().splitlines():
        if found := re.match(r"\$var \w+ 1 (\S+) (\w+) ", line):
            names[found[1]] = found[2]
        elif line.startswith("#"):
            before = dict(levels)  # changes of one moment stand in any order
        elif line[:1] in "01xz" and names.get(line[1:]):
            name = names[line[1:]]
            if name == "clk_i" and line[0] == "1":
                rows.append(before)
            levels[name] = line[0] == "1"
    streams = {name.removesuffix("_valid") for name in names.values() if name.endswith("_valid")}
    order = sorted(streams, key=lambda name: (not name.startswith("in"), int(re.sub(r"\D", "", name))))
    found = {side: {name: _levels(rows, f"{name}_{side}") for name in order} for side in ("valid", "ready")}
    return found["valid"], found["ready"]


def _levels(rows: list[dict[str, bool]], signal: str) -> Bits:
    return np.array([row.get(signal, False) for row in rows], bool)


def draw(build: Path, valid: dict[str, Bits], ready: dict[str, Bits], picture: Path) -> None:
    """A row a stream, in the machine's order; named after the tensor where it carries one."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    machine = json.loads((build / "tinsmith.json").read_text())
    tensors = {trace["name"]: trace["tensor"] for trace in machine["traces"]}
    first = min(int(bits.argmax()) for bits in valid.values() if bits.any())
    clocks = slice(first, first + machine["latency"] + INFERENCES * machine["interval"])
    figure, axes = pyplot.subplots(figsize=(12, 0.32 * len(valid) + 1.6), layout="constrained")
    for row, name in enumerate(valid):
        moves, waits = valid[name][clocks] & ready[name][clocks], valid[name][clocks] & ~ready[name][clocks]
        for bits, colour in zip((moves, waits), STATES.values(), strict=True):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], bits.astype(int), [0]])))
            spans = [(start, end - start) for start, end in edges.reshape(-1, 2)]
            axes.broken_barh(spans, (row - 0.4, 0.8), color=colour, linewidth=0)
    labels = [f"{tensors[name]} ({name})" if name in tensors else name for name in valid]
    axes.set_yticks(range(len(valid)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("clocks")
    axes.set_title(
        f"{machine['top']}: latency {machine['latency']:,}, an inference every {machine['interval']:,} clocks"
    )
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=colour) for colour in STATES.values()]
    axes.legend(handles, list(STATES), loc="lower left")
    figure.savefig(picture, dpi=120)


def main(build: Path) -> None:
    vcd, picture = build.with_name(build.name + ".vcd"), build.with_name(build.name + ".png")
    record(build, vcd)
    valid, ready = read_streams(vcd)
    draw(build, valid, ready, picture)
    for name in valid:
        moved = int((valid[name] & ready[name]).sum())
        print(f"{name:>6}: {moved:6,} words in {len(valid[name]):,} clocks")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
