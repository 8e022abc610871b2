"""What the chip takes on an ECP5-85k, and the clock that it reaches: Yosys and nextpnr, with processor and firmware.

The path that sets the clock goes to the error stream.

Ours is the share of the part, or 50 MHz over the clock; the peer is the whole part, or 1. `--chips 4x4` takes some.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench_report import Row, report
from tinsmith_backends.soc import firmware
from tinsmith_backends.soc.simulator import rtl_sources
from tinsmith_backends.synthesis.nextpnr import Routed, place_and_route
from tinsmith_backends.synthesis.yosys import synthesize

CHIPS = {
    "8x8": {"PES": 8, "LANES": 8, "RQS": 4},
    "8x4": {"PES": 8, "LANES": 4, "RQS": 4},
    "4x4": {"PES": 4, "LANES": 4, "RQS": 2},
}
"""Elements x lanes: parameters of tsm_soc; the others are the defaults."""
CLOCK_MHZ = 50.0
CELLS = {"TRELLIS_COMB": "LUTs", "TRELLIS_FF": "flip-flops", "MULT18X18D": "multipliers", "DP16KD": "block memories"}


def routed(parameters: dict[str, int], place: Path) -> Routed:
    """The whole chip on the part."""
    firmware.build(place / "firmware.hex")
    values = {**parameters, "FIRMWARE": "firmware.hex"}
    synthesize(rtl_sources(), "tsm_soc", "ecp5", parameters=values, folder=place, netlist=place / "chip.json")
    return place_and_route(place / "chip.json", "ecp5", target_mhz=60.0)


def rows(name: str) -> list[Row]:
    """One chip's lines."""
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as place:
        found = routed(CHIPS[name], Path(place))
    print(f"{name}: {found.clock_mhz:.1f} MHz, " + ", ".join(_cells(found)), file=sys.stderr)
    print("\n".join(f"    {when:6.2f} ns  {cell}" for cell, when in found.slowest), file=sys.stderr)
    made = [Row(f"{name}, 50 MHz", CLOCK_MHZ / found.clock_mhz, 1.0, "clock reached", 1.0)]
    for kind, text in CELLS.items():
        used, there = found.used[kind]
        made.append(Row(f"{name}, {text}", used / there, 1.0, "ECP5-85k", 1.0))
    return made


def _cells(found: Routed) -> list[str]:
    return [f"{found.used[kind][0]} {text}" for kind, text in CELLS.items()]


def main() -> int:
    """Print the table; 1 where a chip does not fit or is slower than 50 MHz."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--chips", nargs="+", choices=CHIPS, default=list(CHIPS))
    told = parser.parse_args()
    return report([row for name in told.chips for row in rows(name)], "shares", as_json=told.json)


if __name__ == "__main__":
    sys.exit(main())
