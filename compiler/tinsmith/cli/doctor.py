"""`tinsmith doctor [TARGET]`."""

from __future__ import annotations

from typing import Annotated

import typer

from tinsmith.cli.options import JsonOption, print_json, print_table
from tinsmith.errors import EXIT_USER


def doctor(
    target: Annotated[str | None, typer.Argument(metavar="TARGET", help="Only what this target needs.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which tools are here, which are missing, and the command that brings them.

    Exit code 2 if TARGET is given and lacks a tool.
    """
    from tinsmith.backend import Registry
    from tinsmith.devices import OnDevice
    from tinsmith.toolcheck import tool_states

    registry = Registry.load()
    targets = [name for name, backend in registry.backends.items() if not isinstance(backend, OnDevice)]
    names = targets if target is None else [target]
    states = [(name, state) for name in names for state in tool_states(registry.target(name)[1])]
    if as_json:
        print_json(
            [
                {
                    "target": name,
                    "tool": state.tool.name,
                    "needed_for": state.tool.needed_for,
                    "version": state.version,
                    "install": state.tool.install,
                }
                for name, state in states
            ]
        )
    else:
        rows = [
            [
                name,
                state.tool.name,
                state.tool.needed_for,
                state.version or "missing",
                _cure(state.version, state.tool.install),
            ]
            for name, state in states
        ]
        print_table(["target", "tool", "needed to", "version", "bring it with"], rows)
    if target is not None and any(state.version is None for _, state in states):
        raise typer.Exit(EXIT_USER)


def _cure(version: str | None, install: str) -> str:
    return "" if version else install
