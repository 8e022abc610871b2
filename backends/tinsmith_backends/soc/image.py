"""The weight image: what the external memory holds and the firmware checks at boot. docs/soc-map.md has its records."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tinsmith.errors import TinsmithError

from tinsmith_backends.soc.chip import Chip
from tinsmith_backends.soc.memory_map import (
    COMPUTE,
    HEADER,
    INPUT,
    INPUT_MODE,
    LOAD,
    MAGIC_DESCRIPTOR,
    MAGIC_IMAGE,
    OUTPUT,
    STEP,
    STEP_KIND,
    VERSION,
)
from tinsmith_backends.soc.operations import Software
from tinsmith_backends.soc.records import Record
from tinsmith_backends.soc.schedule import Compute, Load, Run, Schedule

Fields = Mapping[str, int]


@dataclass(frozen=True)
class Image:
    """The image, and the values of the records in it.

    Attributes:
        payload: offset of what the load descriptors read.
    """

    data: bytes
    header: Fields
    steps: tuple[Fields, ...]
    inputs: tuple[Fields, ...]
    outputs: tuple[Fields, ...]
    computes: tuple[Fields, ...]
    loads: tuple[Fields, ...]


def pack(schedule: Schedule, inputs: Sequence[Fields], outputs: Sequence[Fields], chip: Chip) -> Image:
    """The image of a program; raises `TinsmithError` for numbers that their fields do not hold."""
    computes = [_checked(each) for run in schedule.runs for each in run.computes]
    loads = [each for run in schedule.runs for each in run.loads]
    tables = b"".join(each.table.astype("<i4").tobytes() for each in schedule.steps if isinstance(each, Software))
    counts = [len(schedule.steps), len(inputs), len(outputs), len(computes), len(loads)]
    sizes = [count * record.words * 4 for count, record in zip(counts, _RECORDS, strict=True)]
    offsets = [HEADER.words * 4]
    for size in (*sizes, len(tables)):
        offsets.append(offsets[-1] + size)
    steps = _steps(schedule, offsets[5])
    loaded = _loads(loads, offsets[6])
    parts = [
        _packed(record, each) for record, each in zip(_RECORDS, (steps, inputs, outputs, computes, loaded), strict=True)
    ]
    body = b"".join(parts) + tables
    payload = b"".join(each.data for each in loads)
    names = ("steps", "inputs", "outputs", "computes", "loads")
    header = {
        "magic": MAGIC_IMAGE,
        "version": VERSION,
        "identity": chip.identity,
        "image_bytes": offsets[6] + len(payload),
        **dict(zip(names, offsets[:5], strict=True)),
        **{f"{name.removesuffix('s')}_count": count for name, count in zip(names, counts, strict=True)},
        "payload": offsets[6],
        "tables_crc": zlib.crc32(body),
    }
    data = _headed(header) + body + payload
    return Image(data, header, *map(tuple, (steps, inputs, outputs, computes, loaded)))


def fed_by_frames(data: bytes, beat_bytes: int) -> bytes:
    """The same image for a host that sends whole input tensors, in place of an ADC with a trigger.

    Raises:
        TinsmithError: the tables do not have their CRC, so that a new one would hide it.
    """
    image = unpack(data)
    if zlib.crc32(data[HEADER.words * 4 : image.header["payload"]]) != image.header["tables_crc"]:
        raise TinsmithError("the tables of the image do not have their CRC", fix="compile again")
    kept = ("base", "bytes", "timeout")
    frames = {"mode": INPUT_MODE["FRAME"], "beat_bytes": beat_bytes}
    inputs = _packed(INPUT, [{**{name: entry[name] for name in kept}, **frames} for entry in image.inputs])
    begin, payload = image.header["inputs"], image.header["payload"]
    body = data[HEADER.words * 4 : begin] + inputs + data[begin + len(inputs) : payload]
    return _headed({**image.header, "tables_crc": zlib.crc32(body)}) + body + data[payload:]


def unpack(data: bytes) -> Image:
    """The records of an image that `pack` made."""
    header = _unpacked(HEADER, data, 0, 1)[0]
    names = ("steps", "inputs", "outputs", "computes", "loads")
    counts = [header[f"{name.removesuffix('s')}_count"] for name in names]
    records = [
        tuple(_unpacked(record, data, header[name], count))
        for record, name, count in zip(_RECORDS, names, counts, strict=True)
    ]
    return Image(data, header, *records)


_RECORDS = (STEP, INPUT, OUTPUT, COMPUTE, LOAD)
"""In the order in which they stand in the image, with the tables of software steps and the payload behind them."""


def _checked(compute: Compute) -> dict[str, int]:
    """The fields of a descriptor; raises `TinsmithError` with the layer for a number that its field does not hold."""
    fields = {**compute.fields, "magic": MAGIC_DESCRIPTOR}
    try:
        COMPUTE.pack(fields)
    except TinsmithError as error:
        raise TinsmithError([replace(problem, where=compute.of.layer) for problem in error.problems]) from error
    return fields


def _headed(values: Fields) -> bytes:
    """The header, with its CRC."""
    return _packed(HEADER, [{**values, "header_crc": zlib.crc32(_packed(HEADER, [values])[:-4])}])


def _steps(schedule: Schedule, table: int) -> list[dict[str, int]]:
    found: list[dict[str, int]] = []
    computes = loads = 0
    for step in schedule.steps:
        if isinstance(step, Run):
            counts = {"compute_count": len(step.computes), "load_count": len(step.loads)}
            first = {"first_compute": computes, "first_load": loads}
            found.append({"kind": STEP_KIND["BOOT" if step.boot else "HARDWARE"], **first, **counts})
            computes, loads = computes + len(step.computes), loads + len(step.loads)
            continue
        x, y = step.input, step.output
        addresses = {"in_base": schedule.address(x), "out_base": schedule.address(y)}
        if step.second is not None:
            addresses["in2_base"] = schedule.address(step.second)
        if step.table.size:
            addresses["table"] = table
            table += step.table.nbytes
        shape = {"in_h": x.height, "in_w": x.width, "out_h": y.height, "out_w": y.width, "channels": y.channels}
        found.append({"kind": STEP_KIND["SOFTWARE"], **shape, **addresses, **step.fields})
    return found


def _loads(loads: Iterable[Load], payload: int) -> list[dict[str, int]]:
    found = []
    for each in loads:
        fields = {"opcode": each.opcode, "magic": MAGIC_DESCRIPTOR, "after_compute": each.after_compute}
        place = {"ext_addr": payload, "ext_words": len(each.data) // 4, "dest": each.dest}
        found.append({**fields, **place, "crc32": zlib.crc32(each.data)})
        payload += len(each.data)
    return found


def _packed(record: Record, values: Iterable[Fields]) -> bytes:
    words = [word for each in values for word in record.pack(each)]
    return b"".join(word.to_bytes(4, "little") for word in words)


def _unpacked(record: Record, data: bytes, offset: int, count: int) -> list[dict[str, int]]:
    size = record.words * 4
    found = []
    for start in range(offset, offset + count * size, size):
        words = [int.from_bytes(data[i : i + 4], "little") for i in range(start, start + size, 4)]
        found.append(record.unpack(words))
    return found
