"""What a build really takes: Yosys and nextpnr on its sources, beside what the estimator says of it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tinsmith.backend import Step
from tinsmith.errors import TinsmithError
from tinsmith.estimates import Estimate, Row, Value

from tinsmith_backends.rtl.area.estimate import FAMILY, QUANTITIES, total
from tinsmith_backends.rtl.buffers import Design
from tinsmith_backends.rtl.write import FILE
from tinsmith_backends.synthesis.families import Resources, family
from tinsmith_backends.synthesis.nextpnr import PARTS, place_and_route
from tinsmith_backends.synthesis.yosys import synthesize


def synthesized(build: Path, design: Design, family_name: str, step: Step) -> Estimate:
    """Synthesize the build in a folder; route it where an open tool can.

    Raises:
        TinsmithError: no family has that name, the build has no SystemVerilog, a tool is missing or refuses it.
    """
    family(family_name)
    sources = sorted((build / "src").glob("*.sv"))
    if not sources:
        why = "Yosys reads SystemVerilog, and this build has none"
        raise TinsmithError("this build cannot be synthesized", where=str(build), why=why, fix="--target rtl-verilog")
    top = json.loads((build / FILE).read_text(encoding="utf-8"))["top"]
    notes = []
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as place:
        netlist = Path(place) / "netlist.json"
        with step(f"synthesize for {family_name}"):
            found = synthesize(sources, top, family_name, folder=build, netlist=netlist).resources
        values = _values(found)
        if family_name in PARTS:
            with step("place and route"):
                routed = place_and_route(netlist, family_name)
            values["MHz"] = round(routed.clock_mhz, 1)
            used = ", ".join(f"{kind} {n:,} of {most:,}" for kind, (n, most) in sorted(routed.used.items()))
            notes.append(f"routed with {' '.join(PARTS[family_name].arguments)}: {used}")
        else:
            notes.append(f"no open tool routes {family_name}: there is no clock")
    timing: dict[str, Value] = {"latency": design.timing.latency, "interval": design.timing.interval}
    estimates: tuple[Row, ...] = ()
    if family_name == FAMILY:
        guess = total(design.machine.instances, family_name)
        notes.append(f"estimated look-up tables: {guess.lut / found.lut - 1:+.0%}")
        estimates = (Row(design.machine.name, "estimated", {**_values(guess), **timing}),)
    whole = Row(design.machine.name, f"Yosys, {family_name}", {**values, **timing}, estimates)
    return Estimate({**QUANTITIES, "MHz": "clock that nextpnr reaches"}, whole, (), tuple(notes))


def _values(found: Resources) -> dict[str, Value]:
    return {"LUT": found.lut, "FF": found.ff, "DSP": found.dsp, "BRAM": found.bram}
