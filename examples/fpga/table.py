"""Prints what run.sh made: one line a build.

python table.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESOURCES = ("lut", "ff", "dsp", "bram")


def estimated(file: Path) -> dict[str, Any]:
    """The estimate of the whole network by quantity; empty where the target has none."""
    try:
        found: dict[str, Any] = json.loads(file.read_text())["whole"]["values"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {key.lower(): value for key, value in found.items()}


def main(out: Path) -> None:
    table = Table(title="digits", caption="latency and interval in clocks; – where nothing here estimates it")
    table.add_column("build")
    for column in ("latency", "interval", "multipliers of scales", "constants, bytes", *map(str.upper, RESOURCES)):
        table.add_column(column, justify="right")
    builds = sorted((path.parent for path in out.glob("*/report.json")), key=lambda path: path.stat().st_mtime)
    for build in builds:
        report = json.loads((build / "report.json").read_text())
        machine = json.loads((build / "tinsmith.json").read_text())
        estimate = estimated(build.with_name(build.name + ".estimate.json"))
        clocks = (f"{machine[key]:,}" if key in machine else "–" for key in ("latency", "interval"))
        multipliers = sum(layer["multipliers"] for layer in report["layers"])
        resources = (f"{estimate[key]:,.0f}" if key in estimate else "–" for key in RESOURCES)
        table.add_row(build.name, *clocks, str(multipliers), f"{report['memory']['weight_bytes']:,}", *resources)
    Console(width=None if sys.stdout.isatty() else 110).print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
