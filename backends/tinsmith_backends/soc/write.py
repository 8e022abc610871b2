"""The build folder of a chip's program: image, listing, RTL, firmware, benches, README."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tinsmith.backend import Arrays

from tinsmith_backends.soc.description import FILE, IMAGE, describe
from tinsmith_backends.soc.listing import listing
from tinsmith_backends.soc.program import Program


def write_build(program: Program, folder: Path) -> None:
    """Write everything but the test vectors into an empty folder."""
    (folder / IMAGE).write_bytes(program.image.data)
    (folder / "program.txt").write_text(listing(program), encoding="utf-8")
    (folder / FILE).write_text(json.dumps(describe(program), indent=1) + "\n", encoding="utf-8")


def write_vectors(program: Program, folder: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]) -> None:
    """Write frames and the results that are right."""
