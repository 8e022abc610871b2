"""What it costs that activations exceed the memory: networks on smaller and smaller chips, cut in stripes.

    python tests/bench/soc_stripes.py [--json] [--samples N]

Clocks are the cycle model's, which is equal to the RTL; of each build N samples (1 unless told, 0 is none) go through
the simulated chip and are compared with the oracle. A chip that is too small has the reason in place of figures.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from soc_networks import Made, accuracy, built, compared, mlperf, pulse
from tinsmith.errors import TinsmithError
from tinsmith.ir.reader import read_exact
from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.program import Program, compile_program

LONG = {"desc_words": 8192, "ram_bytes": 65536}
"""A chip for programs of many stripes."""


@dataclass(frozen=True)
class Case:
    """A network and the sizes of memory to try."""

    name: str
    make: Callable[[int], Made]
    memories: tuple[int, ...]
    settings: Mapping[str, int]


@dataclass(frozen=True)
class Figures:
    """What came out of one network on one chip.

    Attributes:
        memory: bytes of activation memory.
        used: of these.
        stripes: of each region that is cut.
        lines: per cent by which the lines that its layers make are more than those they have.
        clocks: of the accelerator a frame.
        cost: per cent by which they are more than those of the whole images.
        equal: how many samples were compared, all of them right; -1: one was wrong.
        refused: why there are no figures.
    """

    network: str
    memory: int
    used: int = 0
    stripes: str = ""
    lines: float = 0
    clocks: int = 0
    cost: float = 0
    equal: int = 0
    refused: str = ""


CASES = (
    Case("ResNet8", mlperf(0), (65536, 32768, 16384), {}),
    Case("ResNet20", mlperf(2), (65536, 32768), LONG),
    Case("pulse network", pulse, (2048, 1024, 512), {}),
)


def measure(case: Case, samples: int) -> Iterator[Figures]:
    """A line for each chip; the first has the whole images."""
    model, inputs = case.make(max(samples, 1))
    graph, whole = read_exact(model), 0
    for memory in case.memories:
        try:
            program = compile_program(graph, Chip(act_bytes=memory, **case.settings))  # type: ignore[arg-type]
        except TinsmithError as error:
            yield Figures(case.name, memory, refused=error.problems[0].what)
            continue
        whole = whole or program.timing.clocks
        equal = 0
        if samples:
            with tempfile.TemporaryDirectory(prefix="tinsmith-") as folder:
                settings = {name: str(value) for name, value in {"act_bytes": memory, **case.settings}.items()}
                found = compared(built(model, Path(folder), settings), model, inputs[:samples])
            equal = found.samples if found.exact else -1
        yield _figures(case, program, whole, equal)


def _figures(case: Case, program: Program, whole: int, equal: int) -> Figures:
    lines, made = (sum(getattr(region, name) for region in program.regions) for name in ("lines", "made"))
    return Figures(
        case.name,
        program.chip.act_bytes,
        program.schedule.placed.arena.size,
        " + ".join(str(region.stripes) for region in program.regions),
        100 * (made / lines - 1) if lines else 0.0,
        program.timing.clocks,
        100 * (program.timing.clocks / whole - 1),
        equal,
    )


def main() -> int:
    """Measure and print; 1 if a build is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.add_argument("--samples", type=int, default=1, help="how many go through each simulated chip")
    options = parser.parse_args()
    cases = [case for case in CASES if case.make is pulse or accuracy.DATA.exists()]
    found = [figures for case in cases for figures in measure(case, options.samples)]
    if options.json:
        print(json.dumps([asdict(figures) for figures in found], indent=1))
    else:
        table = Table("network", "memory", "used", "stripes", "more lines, %", "clocks", "more, %", "equal", "refused")
        for figures in found:
            cells = [f"{v:,.1f}" if isinstance(v, float) else str(v) for v in asdict(figures).values()]
            table.add_row(*([*cells[:2], *[""] * 6, cells[-1]] if figures.refused else cells))
        Console(width=140).print(table)
    return int(any(figures.equal < 0 for figures in found))


if __name__ == "__main__":
    sys.exit(main())
