"""Instructions of whole networks on Cortex-M4, counted in qemu, beside CMSIS-NN's best single build.

    python tests/bench/cortex_m.py [--json] [--build FOLDER NETWORK]

ResNet8 and DS-CNN of MLPerf Tiny are quantized and compiled for `cortex-m`; the artefact runs as a bare-metal program
on qemu's mps2-an386, whose plugin armcount/kcount_thumb.c counts every executed instruction of each layer. The program
checks its outputs first and stops when one differs, so what is counted is a right answer. The peer (CMSIS-NN
v7.0.0-43, DSP instructions, the best of five compilers and flag sets) was counted by the same plugin; its figures are
constants here. --build counts a folder that `tinsmith compile --target cortex-m` has filled, NETWORK naming the peer.

Needs gcc, arm-none-eabi-gcc with newlib and qemu-system-arm. Exit code 1 when a ratio is over 1.3.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bench_report import Row, report
from build_cost import compiled

HERE = Path(__file__).resolve().parent
BARE_METAL = HERE.parent / "cpu" / "bare_metal"
PEER = {"ResNet8": 24.23, "DS-CNN": 7.07}
"""Millions of instructions of one inference."""
LIMIT = 1.3

_MAIN = Template(
    """
#include <stdio.h>
#include <string.h>
#include "$name.h"
#include "${name}_test_vectors.h"
#define MARK(code) __asm__ volatile(".inst.w " #code ::: "memory")
static _Alignas(16) uint8_t arena[${upper}_ARENA_BYTES];
static float output[${upper}_${OUTPUT}_COUNT];
int main(void) {
  for (int sample = 0; sample < ${upper}_TEST_SAMPLES; ++sample) {
    ${name}_run(arena, test_input[sample], output);
    if (memcmp(output, test_$output[sample], sizeof output)) { printf("sample %d differs\\n", sample); return 1; }
  }
  for (int step = 0; step < ${upper}_STEPS; ++step) {
    MARK(0xf3af8061);
    ${name}_step(step, arena, test_input[0], output);
    MARK(0xf3af8062);
  }
  return 0;
}
"""
)


@dataclass(frozen=True)
class Layer:
    """One step of the network and its instructions."""

    name: str
    kernel: str
    macs: int
    instructions: int


def run(command: list[str | Path]) -> None:
    """Run a tool; leave with its own words when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def count(build: Path, work: Path) -> list[Layer]:
    """Compile the artefact's program with markers around each step, run it and read the counts."""
    program = json.loads((build / "program.json").read_text())
    name, output = program["name"], program["outputs"][0]["identifier"]
    names = {"name": name, "upper": name.upper(), "output": output, "OUTPUT": output.upper()}
    (work / "main.c").write_text(_MAIN.substitute(names))
    plugin, elf, dump = work / "kcount_thumb.so", work / "counted.elf", work / "counts.txt"
    run(["gcc", "-O2", "-fPIC", "-shared", "-o", plugin, HERE / "armcount" / "kcount_thumb.c"])
    flags = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft", "-O3", "-std=gnu11", "--specs=rdimon.specs"]
    sources = [work / "main.c", BARE_METAL / "startup.c", build / f"{name}.c", build / f"{name}_weights.c"]
    linked = [build / f"{name}_kernels.o", "-nostartfiles", "-T", BARE_METAL / "mps2.ld", "-Wl,--no-warn-rwx-segments"]
    run(["arm-none-eabi-gcc", *flags, f"-I{build}", *sources, *linked, "-o", elf])
    machine = ["-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    run(["qemu-system-arm", *machine, *semihosting, "-plugin", f"{plugin},out={dump}", "-kernel", elf])
    counts = [int(line.split()[3]) for line in dump.read_text().splitlines() if line.startswith("region")]
    return layers(build, program, counts)


def layers(build: Path, program: dict[str, list[dict[str, str]]], counts: list[int]) -> list[Layer]:
    """The counts by layer, with the multiply-accumulates that the report knows."""
    with (build / "report.csv").open() as rows:
        macs = {row["name"]: int(row["macs"]) for row in csv.DictReader(rows)}
    steps = zip(program["steps"], counts, strict=True)
    return [Layer(s["layer"], s["kernel"], macs.get(s["layer"], 0), total) for s, total in steps]


def show(network: str, counted: list[Layer]) -> None:
    """The table of one network, layer by layer."""
    print(f"{network:24} {'kernel':26} {'instructions':>12} {'MACs':>10} {'each':>6}")
    for layer in counted:
        each = f"{layer.instructions / layer.macs:6.2f}" if layer.macs else ""
        print(f"{layer.name:24} {layer.kernel:26} {layer.instructions:12} {layer.macs:10} {each}")
    print()


def main() -> int:
    """Count both networks, or the one in --build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--build", nargs=2, metavar=("FOLDER", "NETWORK"))
    arguments = parser.parse_args()
    if arguments.build and arguments.build[1] not in PEER:
        parser.error(f"NETWORK must be one of {', '.join(PEER)}")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for network in [arguments.build[1]] if arguments.build else PEER:
            if not arguments.build:
                compiled(network, "cortex-m", work)
            build = Path(arguments.build[0]) if arguments.build else work / f"{network}-cortex-m"
            counted = count(build, work)
            if not arguments.json:
                show(network, counted)
            ours = sum(layer.instructions for layer in counted) / 1e6
            rows.append(Row(f"{network}, cortex-m", ours, PEER[network], "CMSIS-NN", LIMIT))
    return report(rows, "millions of instructions", as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
