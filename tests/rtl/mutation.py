"""Copies of rtl/ with one fault each, for the benches and proofs that must see it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rtl_run import ROOT


class Mutant(NamedTuple):
    """A fault: the case whose bench must fail, a text of the module, what stands in its place."""

    case: str
    text: str
    instead: str


def mutated(module: str, mutant: Mutant, folder: Path) -> Path:
    """A copy of rtl/ in which `module` has the fault."""
    shutil.copytree(ROOT / "rtl", folder)
    (source,) = folder.glob(f"*/{module}.sv")
    source.write_text(changed(source, mutant.text, mutant.instead))
    return folder


def changed(source: Path, text: str, instead: str) -> str:
    """What a file says with `text`, which it must hold once, replaced."""
    whole = source.read_text()
    assert whole.count(text) == 1, f"{text!r} stands {whole.count(text)} times in {source.name}"
    return whole.replace(text, instead)


def places(mutants: Mapping[str, tuple[Mutant, ...]], quick: Collection[str]) -> list[Any]:
    """Parameters (module, number) of every fault; only the first one of `quick` modules is in the default suite."""
    return [
        pytest.param(
            module, number, id=f"{module}-{number}", marks=[] if module in quick and not number else pytest.mark.slow
        )
        for module, faults in mutants.items()
        for number in range(len(faults))
    ]


def misplaced(mutants: dict[str, tuple[Mutant, ...]]) -> list[str]:
    """Texts that do not stand once in their module."""
    found = []
    for module, faults in mutants.items():
        (source,) = (ROOT / "rtl").glob(f"*/{module}.sv")
        found += [f"{module}: {fault.text}" for fault in faults if source.read_text().count(fault.text) != 1]
    return found
