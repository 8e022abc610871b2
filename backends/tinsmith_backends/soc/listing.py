"""The program of a chip for people: descriptors as a table, in the order in which they run."""

from __future__ import annotations

from collections.abc import Iterator

from tinsmith_backends.soc.cycles import Span
from tinsmith_backends.soc.memory_map import ENDING, OPCODE, SOFT_OPERATOR
from tinsmith_backends.soc.operations import Software
from tinsmith_backends.soc.program import Program
from tinsmith_backends.soc.schedule import Compute, Load


def listing(program: Program) -> str:
    """Every step with its descriptors: addresses in the activation memory, and the clocks of the cycle model."""
    lines = [
        f"{program.graph.name}: {program.timing.clocks} clocks of the accelerator a frame, "
        f"{program.schedule.placed.arena.size} of {program.chip.act_bytes} bytes of activation memory",
        *map(str, program.regions),
        "",
    ]
    spans = iter(program.timing.spans)
    for number, step in enumerate(program.schedule.steps):
        if isinstance(step, Software):
            lines.append(f"step {number}: firmware {SOFT_OPERATOR.name_of(step.fields['operator'])} for {step.layer}")
            continue
        lines.append(f"step {number}: accelerator{', once at boot' if step.boot else ''}")
        lines += [f"  load {i:3d}  {_load(load)}" for i, load in enumerate(step.loads)]
        lines += [f"  compute {i:3d}  {line}" for i, line in enumerate(_computes(step.computes, spans))]
    return "\n".join(lines) + "\n"


def _load(load: Load) -> str:
    place = f"{len(load.data):6d} bytes to word {load.dest:5d}"
    return f"{load.kind:10s} {place}  after compute {load.after_compute:3d}  {load.layer}"


def _computes(computes: list[Compute], spans: Iterator[Span]) -> Iterator[str]:
    for compute in computes:
        span = next(spans)
        d = compute.fields
        window = f"{d.get('kh', 1)}x{d.get('kx_n', 1)}x{d.get('run_n', 1)}"
        if d.get("history"):
            window = f"{d['kh']}x{d['history_kw']} of columns"
        window += " of int16" if d.get("wide_in") else ""
        opcode, ending = OPCODE.name_of(d["opcode"]), ENDING.name_of(d["ending"]).lower()
        ending += " to int16" if d.get("wide_out") else ""
        yield (
            f"{opcode:7s} {d['out_h']}x{d['out_w']} pixels, {d['groups']} groups, window {window}, {ending}"
            f"  {d['in_base']:#07x} -> {d['out_base']:#07x}  weights {d['w_base']}, parameters {d['p_base']}"
            f"  after load {d['after_load']}  clocks {span.begin} to {span.end}"
            f"  {compute.of.layer}: {compute.of.kernel}"
        )
