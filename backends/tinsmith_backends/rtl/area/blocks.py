"""Blocks: instances by what their area depends on, and the table of those that were synthesized."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinsmith_backends.rtl.instances import Instance
from tinsmith_backends.synthesis.families import Resources

TABLE = Path(__file__).with_name("blocks.json")
"""Written by tests/bench/rtl_blocks.py."""
ADDERS = "adders"
"""What the generated module of a graph of adders is called here."""


@dataclass(frozen=True)
class Block:
    """A module and its numbers; those of a graph of adders are ADDERS (bits of adders) and REGISTERS (bits)."""

    module: str
    parameters: Mapping[str, int]

    @staticmethod
    def of(instance: Instance) -> Block:
        """The block that an instance is."""
        if instance.graph is None:
            numbers = {name: value for name, value in instance.parameters.items() if isinstance(value, int)}
            return Block(instance.module, numbers)
        outputs = [sum(_bits(interval) for interval in stage.out_qint) for stage in instance.graph.stages]
        return Block(ADDERS, {"ADDERS": round(instance.graph.adders), "REGISTERS": sum(outputs) + len(outputs)})

    @property
    def key(self) -> str:
        """Equal for equal blocks."""
        return f"{self.module} {json.dumps(dict(self.parameters), sort_keys=True)}"


@dataclass(frozen=True)
class Measured:
    """A block and what Yosys made of it, by family."""

    block: Block
    resources: Mapping[str, Resources]


def _bits(interval: object) -> int:
    from da4ml.types import minimal_kif

    return int(sum(minimal_kif(interval)))


@cache
def measured() -> tuple[Measured, ...]:
    """The table."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(
        Measured(
            Block(row["module"], row["parameters"]),
            {family: Resources(*values) for family, values in row["resources"].items()},
        )
        for row in rows
    )


def write_table(rows: Sequence[Measured], path: Path = TABLE) -> None:
    """One block a line, in the order of their keys."""
    lines = [
        json.dumps(
            {
                "module": row.block.module,
                "parameters": dict(row.block.parameters),
                "resources": {name: [r.lut, r.ff, r.dsp, r.bram] for name, r in row.resources.items()},
            }
        )
        for row in sorted(rows, key=lambda row: row.block.key)
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
