"""soc.json of a build: which bytes of the image, and of the activation memory, are which constant and tensor."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tinsmith.backend import Arrays
from tinsmith.errors import TinsmithError

from tinsmith_backends.host import quantized
from tinsmith_backends.soc.program import Program
from tinsmith_backends.soc.traces import Trace

FILE = "soc.json"
IMAGE = "image.bin"
FRAMES_IMAGE = "image.frames.bin"
"""The same program for whole input tensors, where an ADC with a trigger feeds the other."""
VECTORS = "vectors.json"


def describe(program: Program) -> dict[str, Any]:
    """Plain values for soc.json."""
    return {
        "network": program.graph.name,
        "parameters": program.parameters,
        "identity": program.chip.identity,
        "clocks": program.timing.clocks,
        "constants": [{"key": key, "offset": offset, "bytes": size} for key, offset, size in constant_places(program)],
        "traces": [_trace(trace) for trace in program.traces],
    }


def _trace(trace: Trace) -> dict[str, Any]:
    """Where a tensor stands, and when: `rows` of `pixels` of `run` bytes, behind so many compute descriptors."""
    view = trace.view
    shape = {"rows": view.height, "row_bytes": view.row_bytes, "pixels": view.width, "pixel_bytes": view.pixel_bytes}
    shape["run"] = view.run_bytes
    return {"tensor": trace.tensor.name, "computes": trace.computes, "address": trace.address, **shape}


def constant_places(program: Program) -> Iterator[tuple[str, int, int]]:
    """`layer/kind`, offset and bytes of every constant in the image; those of one key follow one another."""
    loads = [load for run in program.schedule.runs for load in run.loads]
    for load, fields in zip(loads, program.image.loads, strict=True):
        yield f"{load.layer}/{load.kind}", fields["ext_addr"], 4 * fields["ext_words"]
    tables = [step for step in program.schedule.software if step.table.size]
    places = [fields["table"] for fields in program.image.steps if fields.get("table")]
    for step, place in zip(tables, places, strict=True):
        yield f"{step.layer}/table", place, step.table.nbytes


def constants(description: Mapping[str, Any], image: bytes) -> dict[str, bytes]:
    """Constants as they stand in an image, by `layer/kind`."""
    found: dict[str, bytes] = {}
    for each in description["constants"]:
        data = image[each["offset"] : each["offset"] + each["bytes"]]
        found[each["key"]] = found.get(each["key"], b"") + data
    return found


def read_description(build: Path) -> dict[str, Any]:
    """soc.json of a build folder; raises `TinsmithError` where it cannot be read."""
    try:
        found: dict[str, Any] = json.loads((build / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = f"cannot read the description of the program: {error}"
        raise TinsmithError(what, where=str(build / FILE), fix="compile again") from error
    return found


def frames(program: Program, sample: Arrays) -> list[bytes]:
    """What the sample stream carries for float inputs: one frame an input, quantized as the exact graph does."""
    given = ((trace, quantized(program.graph, trace.tensor.name, sample)) for trace in program.inputs)
    return [values.reshape(-1)[trace.order].tobytes() for trace, values in given]
