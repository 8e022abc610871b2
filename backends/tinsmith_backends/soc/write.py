"""The build folder of a chip's program: image, listing, RTL, firmware, bench, README."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from tinsmith.backend import Arrays

from tinsmith_backends.soc import firmware
from tinsmith_backends.soc.description import FILE, FRAMES_IMAGE, IMAGE, VECTORS, describe, frames
from tinsmith_backends.soc.image import fed_by_frames
from tinsmith_backends.soc.listing import listing
from tinsmith_backends.soc.orders import natural
from tinsmith_backends.soc.program import Program
from tinsmith_backends.soc.stream import FRAME
from tinsmith_backends.soc.traces import Trace

TEMPLATES = Path(__file__).with_name("templates")
FIRMWARE_WORDS = "firmware.hex"
LEAST_EXT_BYTES = 1 << 20
SOURCES = ("rtl/common", "rtl/soc", "firmware/src", "firmware/include", "firmware/sim")
"""Folders of the repository that a build has copies of."""


def write_build(program: Program, folder: Path) -> None:
    """Write everything but the test vectors into an empty folder."""
    (folder / IMAGE).write_bytes(program.image.data)
    if program.stream.stream != FRAME:
        framed = fed_by_frames(program.image.data, program.stream.beat_bytes)
        (folder / FRAMES_IMAGE).write_bytes(framed)
    (folder / "program.txt").write_text(listing(program), encoding="utf-8")
    (folder / FILE).write_text(json.dumps(describe(program), indent=1) + "\n", encoding="utf-8")
    values: dict[str, Any] = {"program": program, "parameters": _parameters(program), "order": _order}
    values |= {"identity": program.chip.identity, "image_bytes": len(program.image.data)}
    for template, name in (("chip.h.j2", "chip.h"), ("README.md.j2", "README.md"), ("Makefile.j2", "Makefile")):
        (folder / name).write_text(_templates().get_template(template).render(values), encoding="utf-8")
    shutil.copyfile(TEMPLATES / "bench.py", folder / "bench.py")
    _copy_sources(folder, program.chip.ram_bytes)


def write_vectors(program: Program, folder: Path, samples: Sequence[Arrays], expected: Sequence[Arrays]) -> None:
    """Write the frames of every sample, and the tensors and results that are right, as hexadecimal bytes."""
    vectors = {
        "frames": [[data.hex() for data in frames(program, sample)] for sample in samples],
        "results": [
            b"".join(_padded(trace.stored(tensors[trace.tensor.name])) for trace in program.outputs).hex()
            for tensors in expected
        ],
        "tensors": [
            {trace.tensor.name: trace.stored(tensors[trace.tensor.name]).hex() for trace in program.traces}
            for tensors in expected
        ],
    }
    (folder / VECTORS).write_text(json.dumps(vectors) + "\n", encoding="utf-8")


def _parameters(program: Program) -> dict[str, int]:
    """Of the RTL, with room for the image in the external memory."""
    image = len(program.image.data)
    return {**program.parameters, "EXT_BYTES": max(LEAST_EXT_BYTES, 1 << (image - 1).bit_length())}


def _copy_sources(folder: Path, ram_bytes: int) -> None:
    """RTL and firmware of the repository, and the firmware as the RTL reads it."""
    for part in SOURCES:
        (folder / part).mkdir(parents=True)
        for path in sorted((firmware.ROOT / part).iterdir()):
            if path.is_file():
                shutil.copyfile(path, folder / part / path.name)
    shutil.copyfile(firmware.ROOT / "firmware" / "link.ld", folder / "firmware" / "link.ld")
    built = folder / FIRMWARE_WORDS
    firmware.build(built, ram_bytes=ram_bytes, root=folder)
    for suffix in (".ld", ".elf", ".bin"):
        built.with_suffix(suffix).unlink()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _order(trace: Trace) -> str:
    """In which order the values of a frame stand, in words."""
    shape = trace.tensor.shape
    if not np.array_equal(trace.order, natural(shape)):
        return f"{shape}, last axis first" if len(shape) == 3 else f"{shape}, in an order of its own"
    return f"{shape[2:]} pixels of {shape[1]} channels, row by row" if len(shape) == 4 else f"{shape}, row by row"


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
