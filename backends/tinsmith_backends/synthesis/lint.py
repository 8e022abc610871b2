"""Lints SystemVerilog with Verilator, every warning on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tinsmith_backends.synthesis.tools import run_verilator

WAIVERS: Mapping[str, str] = MappingProxyType(
    {"PINCONNECTEMPTY": "an output that a machine has no use for is left open by name, so that one sees it is meant"}
)
"""Warnings that are off, each with its reason."""


def lint(
    sources: Sequence[Path],
    top: str,
    *,
    parameters: Mapping[str, int | str] | None = None,
    folder: Path | None = None,
) -> None:
    """Check the module `top` and all that it holds; parameters and `folder` as in `yosys.synthesize`.

    Raises:
        TinsmithError: Verilator is missing, or has warnings: the first of them.
    """
    values = [f"-G{name}={_literal(value)}" for name, value in (parameters or {}).items()]
    waived = [f"-Wno-{name}" for name in WAIVERS]
    arguments = ["--lint-only", "-Wall", "--top-module", top, *waived, *values]
    run_verilator([*arguments, *(str(source.resolve()) for source in sources)], (folder or sources[0].parent).resolve())


def _literal(value: int | str) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
