"""What the chip takes on an ECP5-85k, and the clock that it reaches: Yosys and nextpnr.

    python tests/bench/soc_area.py [--chips 8x8 8x4 4x4 shift xnor] [--tops tsm_soc tsm_accel] [--json]

`tsm_soc` is the whole chip, with processor and firmware, `tsm_accel` the accelerator alone. The path that sets the
clock goes to the error stream, with the nanoseconds at which it leaves each block. Ours is the share of the part, or
50 MHz over the clock; the peer is the whole part, or 1.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from bench_report import Row, report
from tinsmith_backends.soc import firmware
from tinsmith_backends.soc.memory_map import KIND, OPS
from tinsmith_backends.soc.simulator import rtl_sources
from tinsmith_backends.synthesis.nextpnr import Routed, place_and_route
from tinsmith_backends.synthesis.yosys import synthesize

CHIPS = {
    "8x8": {"PES": 8, "LANES": 8, "RQS": 4},
    "8x4": {"PES": 8, "LANES": 4, "RQS": 4},
    "4x4": {"PES": 4, "LANES": 4, "RQS": 2},
    "shift": {"PES": 8, "LANES": 8, "RQS": 4, "KIND": KIND["SHIFT"]},
    "xnor": {"PES": 8, "LANES": 8, "RQS": 4, "KIND": KIND["XNOR"], "OPS": 15 & ~OPS["HISTORY"]},
}
"""Elements x lanes, and 8x8 of the other kinds: parameters of tsm_soc; the others are the defaults."""
TOPS = {"tsm_soc": "chip", "tsm_accel": "accelerator"}
CLOCK_MHZ = 50.0
CELLS = {"TRELLIS_COMB": "LUTs", "TRELLIS_FF": "flip-flops", "MULT18X18D": "multipliers", "DP16KD": "block memories"}


def routed(top: str, parameters: dict[str, int], place: Path) -> Routed:
    """A chip, or its accelerator, on the part."""
    values: dict[str, int | str] = dict(parameters)
    if top == "tsm_soc":
        firmware.build(place / "firmware.hex")
        values["FIRMWARE"] = "firmware.hex"
    synthesize(rtl_sources(), top, "ecp5", parameters=values, folder=place, netlist=place / "chip.json")
    return place_and_route(place / "chip.json", "ecp5", target_mhz=60.0)


def path(found: Routed) -> str:
    """The slowest path: where it begins, the blocks with the time at which it leaves them, where it ends."""
    cells = [(re.split(r"_[A-Z]|\.\d", cell)[0], when) for cell, when in found.slowest]
    ways = groupby(cells, lambda cell: cell[0].rpartition(".")[0] or "top")
    blocks = [f"{block} {max(when for _, when in part):.1f}" for block, part in ways]
    return " -> ".join([cells[0][0], *blocks, cells[-1][0]]) if cells else "none"


def rows(name: str, top: str) -> Iterator[Row]:
    """One design's lines."""
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as place:
        found = routed(top, CHIPS[name], Path(place))
    used = ", ".join(f"{found.used[kind][0]} {text}" for kind, text in CELLS.items())
    print(f"{name} {TOPS[top]}: {found.clock_mhz:.1f} MHz, {used}", file=sys.stderr)
    print(f"    {path(found)}", file=sys.stderr)
    yield Row(f"{name} {TOPS[top]}, 50 MHz", CLOCK_MHZ / found.clock_mhz, 1.0, "clock reached", 1.0)
    for kind, text in CELLS.items():
        taken, there = found.used[kind]
        yield Row(f"{name} {TOPS[top]}, {text}", taken / there, 1.0, "ECP5-85k", 1.0)


def main() -> int:
    """Print the table; 1 where a design does not fit or is slower than 50 MHz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--chips", nargs="+", choices=CHIPS, default=list(CHIPS))
    parser.add_argument("--tops", nargs="+", choices=TOPS, default=list(TOPS))
    told = parser.parse_args()
    made = [row for name in told.chips for top in told.tops for row in rows(name, top)]
    return report(made, "shares", as_json=told.json)


if __name__ == "__main__":
    sys.exit(main())
