"""Proofs of modules of rtl/soc: of the assertions in them, or of those in a harness of formal/soc around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import proving
from mutation import changed
from rtl_run import sources

HARNESSES = sorted((Path(__file__).parent / "formal" / "soc").glob("*.sv"))


def prove(
    top: str,
    folder: Path,
    *,
    depth: int,
    mode: str = "prove",
    changes: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """PASS, FAIL, UNKNOWN or ERROR, as sby says of the module or harness `top`.

    Args:
        depth: of the induction, or of the first clocks where `mode` is bmc.
        changes: by module, a text in it and what to put there instead: to see a proof fail.
    """
    changes = changes or {}
    files = {
        path.name: changed(path, *changes[path.stem]) if path.stem in changes else path.read_text()
        for path in [*sources(), *HARNESSES]
    }
    if top.startswith("formal_"):  # what its parts assume of each other must hold now
        files |= {name: text.replace("assume (", "assert (") for name, text in files.items() if name.startswith("tsm_")}
    return proving.prove(top, files, folder, depth=depth, mode=mode)
