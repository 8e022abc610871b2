"""Synthesizes SystemVerilog with Yosys and counts what it takes. A latch or a broken net is an error."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinsmith_backends.synthesis.families import Resources, family
from tinsmith_backends.synthesis.tools import run_yowasp, seen_from

NETLIST = "netlist.json"
TOP = "synthesized_top"
"""What the top module is called in the netlist."""


@dataclass(frozen=True)
class Synthesis:
    """A mapped design.

    Attributes:
        resources: of the whole.
        modules: of each instance of the top, by its name; empty for a flattened design.
    """

    resources: Resources
    modules: Mapping[str, Resources]


def synthesize(
    sources: Sequence[Path],
    top: str,
    family_name: str,
    *,
    parameters: Mapping[str, int | str] | None = None,
    folder: Path | None = None,
    netlist: Path | None = None,
) -> Synthesis:
    """Map a design to a family.

    Args:
        sources: SystemVerilog files.
        top: name of the top module.
        family_name: a key of `families.FAMILIES`.
        parameters: of the top module; text for string parameters, without quotes.
        folder: where `$readmemh` reads from; None is the folder of the first source.
        netlist: where to leave the netlist as JSON for nextpnr; None leaves none.

    Raises:
        TinsmithError: Yosys is missing, or does not take the design, or finds a latch in it or a net that is driven
            twice or not at all.
    """
    chosen = family(family_name)
    run_in = folder or sources[0].parent
    with tempfile.TemporaryDirectory(prefix="tinsmith-") as place:
        statistics = Path(place) / "stat.json"
        lines = [
            *_elaborate([seen_from(run_in, source) for source in sources], top, parameters or {}),
            f"{chosen.command} -top {TOP}",
            "select -assert-none t:$_DLATCH_* t:$dlatch t:LD*",
            *([f"write_json {seen_from(run_in, netlist)}"] if netlist is not None else []),
            f"tee -q -o {seen_from(run_in, statistics)} stat -json",
        ]
        script = Path(place) / "synthesize.ys"
        script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        run_yowasp("yosys", ["-q", "-s", seen_from(run_in, script)], run_in)
        found = json.loads(statistics.read_text(encoding="utf-8"))
    return Synthesis(chosen.count(found["design"]["num_cells_by_type"]), {})


def _elaborate(sources: Sequence[str], top: str, parameters: Mapping[str, int | str]) -> list[str]:
    """Read, set parameters, and refuse latches and broken nets. Deferred, so that no default ROM file is looked for."""
    values = "".join(f" -chparam {name} {_literal(value)}" for name, value in parameters.items())
    return [
        *(f"read_verilog -sv -defer {source}" for source in sources),
        f"hierarchy -check -top {top}{values}",
        f"rename -top {TOP}",
        "proc",
        "check -assert",
        "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr",
    ]


def _literal(value: int | str) -> str:
    """Numbers that are no plain integers, and text, go in as their bits: Yosys' command takes no signs and quotes."""
    if isinstance(value, int) and value >> 31:
        return f"32'b{value & 0xFFFFFFFF:032b}" if value < 0 else f"{value.bit_length()}'b{value:b}"
    if isinstance(value, int):
        return str(value)
    return f"{8 * len(value)}'b" + "".join(f"{byte:08b}" for byte in value.encode())
