"""What a network takes on a chip: clocks, use of the multipliers, memory. From the schedule; nothing is simulated."""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith.estimates import Estimate, Row

from tinsmith_backends.soc.operations import Operation
from tinsmith_backends.soc.program import Program
from tinsmith_backends.soc.schedule import Compute

SOFT_MAC_CLOCKS = 70
"""What a multiply-accumulate of the firmware takes, roughly."""
QUANTITIES: Mapping[str, str] = {
    "latency": "clocks of the accelerator from start to end",
    "interval": "clocks of the accelerator a frame",
    "clocks": "clocks from the layer before to the end of this one",
    "wait": "clocks of these in which it waits for its weights",
    "MACs": "multiply-accumulates, the firmware's too",
    "use": "per cent of the multipliers' clocks that make one of these",
    "weights": "bytes of weights, biases and multipliers that are loaded",
    "activations": "bytes of activation memory",
    "descriptors": "32-bit words of descriptor memory",
}


def estimate(program: Program) -> Estimate:
    """Rows of the whole program and of every layer that the accelerator does."""
    layers = [_row(program, layer.name) for layer in program.graph.layers]
    rows = tuple(row for row in layers if row is not None)
    clocks, macs = program.timing.clocks, sum(int(row.values["MACs"]) for row in rows)
    accelerated = sum(work.macs for work in program.work if isinstance(work, Operation))
    values = {
        "latency": clocks,
        "interval": clocks,
        "clocks": clocks,
        "wait": sum(int(row.values["wait"]) for row in rows),
        "MACs": macs,
        "use": _use(program, accelerated, clocks),
        "weights": sum(int(row.values["weights"]) for row in rows),
        "activations": program.schedule.placed.arena.size,
        "descriptors": program.descriptor_words,
    }
    choice = f"{program.chip.pes} elements of {program.chip.lanes} lanes"
    return Estimate(QUANTITIES, Row(program.graph.name, choice, values), rows, tuple(_notes(program, rows)))


def _row(program: Program, layer: str) -> Row | None:
    """A layer's line; None where nothing is computed."""
    spans = list(zip(program.computes, program.timing.spans, strict=True))
    own = [(compute, span) for compute, span in spans if compute.of.layer == layer]
    parts = [work for work in program.work if work.layer == layer]
    macs = sum(work.macs for work in parts)
    if not own:
        return Row(layer, "firmware", {"clocks": 0, "wait": 0, "MACs": macs, "weights": 0}) if parts else None
    clocks = sum(span.end - span.before for _, span in own)
    values = {
        "clocks": clocks,
        "wait": sum(span.waits for _, span in own),
        "MACs": macs,
        "weights": sum(len(load.data) for run in program.schedule.runs for load in run.loads if load.layer == layer),
    }
    use = {"use": _use(program, macs, clocks)} if macs else {}
    return Row(layer, _choice([compute for compute, _ in own]), {**values, **use})


def _choice(computes: list[Compute]) -> str:
    kernel = computes[0].of.kernel
    return kernel if len(computes) == 1 else f"{kernel}, {len(computes)} descriptors"


def _use(program: Program, macs: int, clocks: int) -> float:
    return round(100 * macs / (clocks * program.chip.macs), 1) if clocks else 0.0


def _notes(program: Program, rows: tuple[Row, ...]) -> list[str]:
    """What limits the speed, and what is not in the figures."""
    firmware = [row for row in rows if row.choice == "firmware"]
    names, macs = ", ".join(row.name for row in firmware), sum(int(row.values["MACs"]) for row in firmware)
    work = f"{macs:,} MACs of some {SOFT_MAC_CLOCKS} clocks each; {names}" if macs else names
    slowest = max(rows, key=lambda row: row.values["clocks"], default=None)
    slow = macs * SOFT_MAC_CLOCKS > program.timing.clocks
    notes = []
    if slow:
        notes.append(f"most of the time goes to the firmware, whose clocks are not counted here: {work}")
    elif slowest is not None and program.timing.clocks:
        share = slowest.values["clocks"] / program.timing.clocks
        why = "waits for its weights" if slowest.values["wait"] > slowest.values["clocks"] / 2 else slowest.choice
        notes.append(f"most of the time goes to {slowest.name}: {share:.0%} ({why})")
    notes += [f"activations exceed the memory, so that {region}" for region in program.regions]
    if program.timing.boot:
        notes.append(f"all weights stay on the chip: they are loaded once, in {program.timing.boot:,} clocks at boot")
    if firmware and not slow:
        notes.append(f"done by the firmware, whose clocks are not counted here: {work}")
    notes.append("clocks of the accelerator, equal to the RTL's; streams and firmware come on top (docs/soc.md)")
    return notes
