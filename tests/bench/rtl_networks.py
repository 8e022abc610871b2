"""Streaming machines of real networks on an ECP5-85k, by Yosys and nextpnr, and what the estimator says of them.

    python tests/bench/rtl_networks.py folding      # digits at 1024 clocks and at 64: look-up tables, and 60 MHz
    python tests/bench/rtl_networks.py twins        # shifts and bits and their int8 twin, as adder graphs
    python tests/bench/rtl_networks.py estimates    # estimated look-up tables of every network, in parts of Yosys'
        [--networks digits,mlp] [--interval 1024] [--set kind=mvu] [--json]

The networks are those of tests/fpga_nets.py. Each machine that is synthesized is told on stderr. Ends with exit code 1
where a figure is over its limit.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from bench_report import Row, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fpga_nets import NETS, exact
from tinsmith.exact_file import load_exact
from tinsmith.ir.reader import read_exact
from tinsmith_backends.rtl.area.estimate import FAMILY, total
from tinsmith_backends.rtl.backend import BACKEND
from tinsmith_backends.rtl.write import top_name
from tinsmith_backends.synthesis.families import Resources
from tinsmith_backends.synthesis.nextpnr import place_and_route
from tinsmith_backends.synthesis.yosys import synthesize

TARGET = "rtl-verilog"
CLOCK_MHZ = 60.0
TWINS = 64
"""Clocks between inferences of the twins."""


@cache
def machine(name: str, told: tuple[tuple[str, str], ...], *, route: bool = False) -> tuple[
    Resources, Resources, float
]:  # fmt: skip
    """What Yosys makes of a network, what the estimator says, and the clock that nextpnr reaches, 0 unless `route`."""
    graph = read_exact(load_exact(exact(name)))
    backend = BACKEND.configured(TARGET, dict(told))
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as place:
        folder, netlist = Path(place) / "build", Path(place) / "netlist.json"
        folder.mkdir()
        backend.build(graph, TARGET, folder, lambda step: contextlib.nullcontext())
        design = backend.design(graph, TARGET)
        sources = sorted((folder / "src").glob("*.sv"))
        found = synthesize(sources, top_name(design.machine), FAMILY, folder=folder, netlist=netlist).resources
        clock = place_and_route(netlist, FAMILY, target_mhz=CLOCK_MHZ * 1.2).clock_mhz if route else 0.0
    guess = total(design.machine.instances, FAMILY)
    print(f"{name} {dict(told)}: {design.timing}, {found}, estimated {guess}, {clock:.1f} MHz", file=sys.stderr)
    return found, guess, clock


def folding(options: argparse.Namespace) -> Sequence[Row]:
    """The digits network at 1024 clocks, and at 64."""
    slow, _, clock = machine("digits", _told(options, 1024), route=True)
    fast, _, _ = machine("digits", _told(options, 64))
    return [
        Row("digits at 1024 clocks, look-up tables", slow.lut, fast.lut, "at 64 clocks", 1 / 3),
        Row("digits at 1024 clocks, clock of 60 MHz", CLOCK_MHZ, clock, "clock reached", 1.0),
    ]


def twins(options: argparse.Namespace) -> Sequence[Row]:
    """Networks of cheap weights and the same in int8, adder graphs wherever there is one."""
    told = {"kind": "adders", **options.told}
    interval = options.interval or TWINS
    wide, shifts, bits = (
        machine(name, tuple({"interval": str(interval), **told}.items()))[0]
        for name in ("digits", "dense_shift", "binary")
    )
    return [
        Row("3-bit shifts, look-up tables", shifts.lut, wide.lut, "int8", 0.6),
        Row("3-bit shifts, multipliers", shifts.dsp, max(wide.dsp, 1), "int8", 0.0),
        Row("bits, look-up tables", bits.lut, wide.lut, "int8", 0.2),
    ]


def estimates(options: argparse.Namespace) -> Sequence[Row]:
    """Error of the estimator, in parts of what Yosys says."""
    rows = []
    for name in options.networks:
        found, guess, _ = machine(name, _told(options, 1024))
        rows.append(Row(f"{name}, error of the estimate", abs(guess.lut - found.lut), found.lut, "Yosys", 0.25))
    return rows


def _told(options: argparse.Namespace, interval: int) -> tuple[tuple[str, str], ...]:
    return tuple({"interval": str(options.interval or interval), **options.told}.items())


PARTS: Mapping[str, object] = {"folding": folding, "twins": twins, "estimates": estimates}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--networks", type=lambda text: text.split(","), default=list(NETS))
    parser.add_argument("--interval", type=int, help="of every machine, in place of the part's own")
    parser.add_argument("--set", dest="told", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.told = dict(text.split("=", 1) for text in options.told)
    return report(PARTS[options.part](options), "look-up tables, multipliers or MHz", as_json=options.json)  # type: ignore[operator]


if __name__ == "__main__":
    sys.exit(main())
