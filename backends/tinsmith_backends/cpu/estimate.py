"""What a network takes on a CPU target: the numbers of a build that need no compiler."""

from __future__ import annotations

from tinsmith.estimates import Estimate, Row
from tinsmith.ir.exact import ExactGraph
from tinsmith.report.make import macs

from tinsmith_backends.cpu.backend import layer_builds
from tinsmith_backends.cpu.constants import constants, struct_bytes
from tinsmith_backends.cpu.lower import lower
from tinsmith_backends.cpu.memory import plan
from tinsmith_backends.cpu.targets import CpuTarget

QUANTITIES = {
    "MACs": "multiply-accumulates of one inference",
    "weight_bytes": "bytes of constants: weights, biases, multipliers and tables",
    "arena_bytes": "bytes of working memory that the caller provides",
}


def estimate(graph: ExactGraph, cpu: CpuTarget) -> Estimate:
    """A row a layer with its kernel, and the whole; they are what a build reports."""
    memory = plan(lower(graph, cpu.isa))
    work = {layer.name: macs(graph, layer) for layer in graph.layers}
    layers = tuple(
        Row(built.name, built.kernel, {"MACs": work[built.name], "weight_bytes": built.weight_bytes})
        for built in layer_builds(graph, memory)
    )
    whole = {
        "MACs": sum(work.values()),
        "weight_bytes": struct_bytes(constants(memory.program)),
        "arena_bytes": memory.arena_bytes,
    }
    note = "bytes are exact; the size of the code is known once it is compiled"
    return Estimate(QUANTITIES, Row(graph.name, cpu.target.name, whole), layers, (note,))
