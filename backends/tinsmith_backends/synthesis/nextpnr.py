"""Places and routes a netlist with nextpnr: what it takes on a part, and the clock that it reaches."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tinsmith.errors import TinsmithError

from tinsmith_backends.synthesis.tools import run_yowasp, seen_from


@dataclass(frozen=True)
class Part:
    """A part of a family: nextpnr's program and how it is told the part."""

    program: str
    arguments: tuple[str, ...]


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "ecp5": Part("nextpnr-ecp5", ("--85k", "--package", "CABGA381", "--out-of-context")),
        "ice40": Part("nextpnr-ice40", ("--up5k", "--package", "sg48")),
    }
)
"""The part that each family is routed on; no open tool routes xc7 here."""


@dataclass(frozen=True)
class Routed:
    """A routed design.

    Attributes:
        clock_mhz: its clock.
        used: cells of each type, and how many there are.
        slowest: cells on the path that sets the clock, each with nanoseconds from the clock's edge.
    """

    clock_mhz: float
    used: Mapping[str, tuple[int, int]]
    slowest: tuple[tuple[str, float], ...] = ()


def place_and_route(netlist: Path, family_name: str, *, target_mhz: float = 80.0, seed: int = 1) -> Routed:
    """Route the netlist that `yosys.synthesize` left; `target_mhz` is what the placer strives for.

    ECP5 designs are routed without pads, so that a stream may be wider than a package has pins.

    Raises:
        TinsmithError: no open tool routes the family, nextpnr is missing, or the design does not fit.
    """
    if family_name not in PARTS:
        what = f"no open tool routes {family_name}"
        raise TinsmithError(what, where="--synth", fix=", ".join(PARTS))
    part = PARTS[family_name]
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as place:
        run_in, report = Path(place), Path(place) / "report.json"
        arguments = [*part.arguments, "--json", seen_from(run_in, netlist), "--report", report.name, "-q"]
        options = ["--timing-allow-fail", "--seed", str(seed), "--freq", str(target_mhz)]
        run_yowasp(part.program, [*arguments, *options], run_in)
        found = json.loads(report.read_text(encoding="utf-8"))
    clocks = [clock["achieved"] for clock in found["fmax"].values()]
    used = {kind: (row["used"], row["available"]) for kind, row in found["utilization"].items() if row["used"]}
    return Routed(min(clocks, default=0.0), used, _slowest(found["critical_paths"]))


def _slowest(paths: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, float], ...]:
    """Cells of the longest path from clock to clock in nextpnr's report."""
    timed = []
    for path in paths:
        if "posedge" not in path["from"] or "posedge" not in path["to"]:
            continue
        steps: list[tuple[str, float]] = []
        total = 0.0
        for step in path["path"]:
            total += step["delay"]
            if not steps or steps[-1][0] != step["to"]["cell"]:
                steps.append((step["to"]["cell"], total))
        timed.append((total, tuple(steps)))
    return max(timed, default=(0.0, ()))[1]
