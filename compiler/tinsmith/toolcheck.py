"""Which programs and packages a target needs, and which of them are here."""

from __future__ import annotations

from dataclasses import dataclass

from tinsmith.backend import Target, Tool
from tinsmith.errors import Problem, TinsmithError


@dataclass(frozen=True)
class ToolState:
    """One tool and its version here; None when it is missing."""

    tool: Tool
    version: str | None


def tool_states(target: Target) -> list[ToolState]:
    """Look for every tool of a target."""
    return [ToolState(tool, tool.found()) for tool in target.tools]


def require_tools(target: Target, purpose: str) -> None:
    """Raise `TinsmithError` with every missing tool that `purpose` ("compile", "verify") needs."""
    why = {"compile": "compile needs it", "verify": "the artefact cannot run without it: nothing was checked"}[purpose]
    missing = [state.tool for state in tool_states(target) if state.version is None]
    problems = [
        Problem(f"{tool.name} is missing", where=f"target {target.name}", why=why, fix=tool.install)
        for tool in missing
        if tool.needed_for == purpose
    ]
    if problems:
        raise TinsmithError(problems)
