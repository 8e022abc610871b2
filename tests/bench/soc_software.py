"""Clocks of a whole network on the chip's accelerator, and by software on the chip's own processor.

    python tests/bench/soc_software.py [--json] [--network ResNet8|DS-CNN]

The network is quantized once, for `soc`; the same exact graph is compiled for `c`. That artefact is linked with the
firmware's start and linker script for a chip with more memory, and runs on its processor in the Verilated system: the
timer counts the clocks of each step, and the program compares the outputs with the artefact's test vectors bit by bit.
The `soc` artefact runs the same sample in the same system, chip at its defaults, from the sample's first beat to the
result's last word; its outputs must be the same bits. Both take the sample as stored bytes. Exit code 1 when an output
differs or the accelerator is less than 100 times faster. The software needs hundreds of millions of clocks: minutes.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from string import Template

import numpy as np
import onnx_ir as ir
from bench_report import Row, report
from build_cost import compiled
from tinsmith.ir.reader import read_exact
from tinsmith.vectors import read_vectors
from tinsmith_backends.soc import firmware
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.program import compile_program
from tinsmith_backends.soc.runner import VerilatorRunner
from tinsmith_backends.soc.simulator import COUNTERS, simulator
from tinsmith_backends.soc.system import launch

SPEEDUP = 100.0
RAM_BYTES = 1 << 20
"""Of the chip that runs the software: code, weights, activations and vectors."""

_MAIN = Template(
    """
#include "tsm_io.h"
#include "$name.h"
#include "${name}_test_vectors.h"
static _Alignas(16) uint8_t arena[${upper}_ARENA_BYTES];
static float output[${upper}_${OUTPUT}_COUNT];
int main(void) {
  for (int step = 0; step < ${upper}_STEPS; ++step) {
    const uint32_t begin = tsm_read(TSM_TIMER_COUNT);
    ${name}_step(step, arena, test_input[0], output);
    tsm_write(TSM_RESULTS_DATA, tsm_read(TSM_TIMER_COUNT) - begin);
  }
  uint32_t different = 0;
  for (unsigned i = 0; i < sizeof output; ++i)
    different += ((const uint8_t *)output)[i] != ((const uint8_t *)test_$output[0])[i];
  tsm_write(TSM_RESULTS_LAST, different);
  for (;;) {}
}
"""
)


def software(build: Path, work: Path) -> dict[str, int]:
    """Clocks of each step of a `c` artefact on the processor; leaves when an output differs."""
    program = json.loads((build / "program.json").read_text())
    name, output = program["name"], program["outputs"][0]["identifier"]
    names = {"name": name, "upper": name.upper(), "output": output, "OUTPUT": output.upper()}
    (work / "main.c").write_text(_MAIN.substitute(names))
    start = firmware.ROOT / "firmware" / "src" / "start.S"
    files = [start, work / "main.c", *(build / f"{name}{part}.c" for part in ("", "_weights", "_kernels"))]
    flags = ["-O3", f"-I{firmware.ROOT / 'firmware' / 'include'}", f"-I{build}"]
    firmware.link(work / "firmware.hex", files, flags, ram_bytes=RAM_BYTES)
    launch(simulator({"RAM_BYTES": RAM_BYTES}), ["--results", "results.bin", "--expect", "1"], work)
    data = (work / "results.bin").read_bytes()
    head = struct.Struct(f"<{2 + len(COUNTERS)}QI")
    *clocks, different = struct.unpack_from(f"<{head.unpack_from(data)[-1]}I", data, head.size)
    if different:
        sys.exit(f"{different} bytes of the software's output differ from the oracle's")
    steps = [f"{step['layer']} ({step['kernel']})" for step in program["steps"]]
    return dict(zip(steps, clocks, strict=True))


def accelerated(build: Path, vectors: Path) -> int:
    """Clocks of the `soc` artefact, from the sample's first beat to the result's last word."""
    program = compile_program(read_exact(ir.load(build / "exact.onnx")), Chip())
    runner, given = VerilatorRunner(build, program), read_vectors(vectors)
    (outputs,) = runner.run(given.inputs[:1], layers=False)
    wrong = [name for name, right in given.outputs[0].items() if not np.array_equal(outputs[name], right)]
    if wrong:
        sys.exit(f"the chip's {', '.join(wrong)} differs from the oracle's")
    (answer,) = runner.simulate(given.inputs[:1]).answers
    return answer.ended - answer.began + 1


def measure(network: str, work: Path) -> tuple[dict[str, int], int]:
    """Clocks of the software's steps, and of the accelerated network."""
    compiled(network, "soc", work)
    exact, c = work / f"{network}-soc" / "exact.onnx", work / f"{network}-c"
    command = [sys.executable, "-m", "tinsmith.cli.main", "compile", str(exact), "--target", "c", "-o", str(c)]
    command += ["--calibrate", str(work / f"{network}.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    clocks = accelerated(work / f"{network}-soc", c / "vectors.npz")
    return software(c, work), clocks


def main() -> int:
    """Measure one network; exit code 1 when the accelerator is not fast enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--network", default="ResNet8", choices=["ResNet8", "DS-CNN"])
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        steps, clocks = measure(told.network, Path(name))
    if not told.json:
        for step, count in steps.items():
            print(f"{step:60} {count:12}")
        print(f"{'software':60} {sum(steps.values()):12}\n{'accelerator, firmware and streams':60} {clocks:12}")
    row = Row(f"{told.network}, clocks", clocks / 1e3, sum(steps.values()) / 1e3, "picorv32", 1 / SPEEDUP)
    return report([row], "thousands of clocks", as_json=told.json)


if __name__ == "__main__":
    sys.exit(main())
