#!/usr/bin/env python3
"""Instruction mix and estimated cycles of a dump that the kcount plugin wrote.

    armcost.py DUMP... [--cpu neoverse-n1] [--show N]

Cycles are the sum over the hot blocks of executions times the steady-state cycles that llvm-mca 19 gives for
the block; what the dump leaves out is charged at the same rate. It assumes L1 hits and right branches, and it is
validated on no hardware: quote it as a ratio between two programs, beside the instruction counts.
Neoverse N1 stands for Cortex-A76 (LLVM's own Cortex-A76, A55 and A53 models mislead).
Needs Debian's llvm-19.
"""

import argparse
import functools
import re
import subprocess
from pathlib import Path


def disassemble(codes: list[int]) -> list[str]:
    """Assembly text of 32-bit AArch64 instruction words."""
    text = "\n".join(" ".join(f"0x{(c >> 8 * i) & 255:02x}" for i in range(4)) for c in codes)
    out = subprocess.run(
        ["llvm-mc-19", "-triple=aarch64", "-mattr=+all", "--disassemble"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [line.strip() for line in out.splitlines() if line.strip() and not line.strip().startswith(".")]


@functools.lru_cache(None)
def block_cycles(asm: str, cpu: str, iterations: int = 100) -> float | None:
    """Steady-state cycles of one execution of a basic block, or None where llvm-mca knows none."""
    lines = []
    for line in asm.split("\n"):
        op = line.split()[0]
        if op in ("bl", "blr", "br", "ret"):
            line = "nop"
        elif op == "b" or op.startswith("b."):
            line = op + " #64"
        lines.append(line)
    out = subprocess.run(
        [
            "llvm-mca-19",
            "-mtriple=aarch64",
            "-mattr=+all",
            f"-mcpu={cpu}",
            f"-iterations={iterations}",
            "-all-views=0",
            "-summary-view",
        ],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
    ).stdout
    found = re.search(r"Total Cycles:\s+(\d+)", out)
    return int(found.group(1)) / iterations if found else None


def cost(path: str, cpu: str, show: int) -> str:
    head, *rows = Path(path).read_text().splitlines()
    words = head.split()
    total, mix = int(words[1]), dict(zip(words[4::2], map(int, words[5::2]), strict=True))
    cycles = covered = 0.0
    for k, row in enumerate(rows):
        w = row.split()
        count, symbol, codes = int(w[5]), w[9], [int(x, 16) for x in w[11:]]
        asm = "\n".join(disassemble(codes))
        each = block_cycles(asm, cpu)
        if each is None:
            continue
        covered += count * len(codes)
        cycles += count * each
        if k < show:
            print(f"-- {symbol} x{count}, {each:.1f} cycles, {count * len(codes) / total:.1%}\n{asm}")
    scale = total / covered if covered else 0.0
    parts = " ".join(f"{k} {v / 1e6:.3f}" for k, v in mix.items())
    return (
        f"{path}: {total / 1e6:.3f} M instructions ({parts}); {cpu} {cycles * scale / 1e6:.3f} M cycles; "
        f"blocks cover {covered / max(total, 1):.1%}"
    )


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("dump", nargs="+")
    ap.add_argument("--cpu", default="neoverse-n1")
    ap.add_argument("--show", type=int, default=0, help="print the N hottest blocks")
    a = ap.parse_args()
    for d in a.dump:
        print(cost(d, a.cpu, a.show))
