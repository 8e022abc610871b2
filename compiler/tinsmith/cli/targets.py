"""`tinsmith targets`."""

from __future__ import annotations

from tinsmith.cli.options import JsonOption, print_json, print_table


def targets(as_json: JsonOption = False) -> None:
    """List what can be built for, and how each is run."""
    from tinsmith.backend import Registry

    found = [backend.targets[name] for name, backend in Registry.load().backends.items()]
    if as_json:
        print_json([{"name": each.name, "summary": each.summary, "runner": each.runner} for each in found])
        return
    print_table(["target", "what it is", "runs in"], [[each.name, each.summary, each.runner] for each in found])
