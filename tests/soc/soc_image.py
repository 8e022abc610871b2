"""Small weight images, packed from the map alone: what the firmware and the chip are tested with."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinsmith_backends.soc import memory_map as m
from tinsmith_backends.soc.records import Record

DEFAULT_CHIP = (8, 8, 4, 65536, 1024, 256, 2048, 0, 15)
Values = Mapping[str, int]


def words_of(record: Record, entries: Sequence[Values]) -> bytes:
    return b"".join(word.to_bytes(4, "little") for entry in entries for word in record.pack(entry))


@dataclass
class ImageParts:
    """Records and bytes of an image; `header` overrides what `pack` computes, with CRCs that fit nevertheless."""

    steps: list[Values]
    inputs: list[Values]
    outputs: list[Values]
    computes: list[Values] = field(default_factory=list)
    loads: list[Values] = field(default_factory=list)
    tables: bytes = b""
    payload: bytes = b""
    header: dict[str, int] = field(default_factory=dict)

    @property
    def payload_offset(self) -> int:
        return self.tables_offset + len(self.tables)

    @property
    def tables_offset(self) -> int:
        lists = ((m.STEP, self.steps), (m.INPUT, self.inputs), (m.OUTPUT, self.outputs))
        lists += ((m.COMPUTE, self.computes), (m.LOAD, self.loads))
        return 4 * (m.HEADER.words + sum(record.words * len(entries) for record, entries in lists))

    def pack(self) -> bytes:
        body, header = b"", {"magic": m.MAGIC_IMAGE, "version": m.VERSION, "identity": m.identity(*DEFAULT_CHIP)}
        lists = {"step": (m.STEP, self.steps), "input": (m.INPUT, self.inputs), "output": (m.OUTPUT, self.outputs)}
        lists |= {"compute": (m.COMPUTE, self.computes), "load": (m.LOAD, self.loads)}
        for name, (record, entries) in lists.items():
            header |= {f"{name}s": 4 * m.HEADER.words + len(body), f"{name}_count": len(entries)}
            body += words_of(record, entries)
        body += self.tables
        header |= {"payload": self.payload_offset, "image_bytes": self.payload_offset + len(self.payload)}
        header |= {"tables_crc": zlib.crc32(body)} | self.header
        header.setdefault("header_crc", zlib.crc32(words_of(m.HEADER, [header])[:-4]))
        return words_of(m.HEADER, [header]) + body + self.payload


def frame_input(size: int, **more: int) -> Values:
    return {"base": 0, "bytes": size, "mode": m.INPUT_MODE["FRAME"], "beat_bytes": 4, "timeout": 2000, **more}


def software(operator: str, **values: int) -> Values:
    return {"kind": m.STEP_KIND["SOFTWARE"], "operator": m.SOFT_OPERATOR[operator], **values}


def hardware(computes: int, loads: int, **more: int) -> Values:
    return {"kind": m.STEP_KIND["HARDWARE"], "compute_count": computes, "load_count": loads, **more}


def dense(weights: Sequence[Sequence[int]], bias: Sequence[int], multiplier: Sequence[int], shift: int) -> ImageParts:
    """Up to 8 int8 outputs of `8 * n` int8 inputs at byte 0, outputs at byte 1024: one load each, one compute."""
    outputs, inputs = len(weights), len(weights[0])
    rows = [list(row) for row in weights] + [[0] * inputs] * (8 - outputs)
    weight_bytes = b"".join(
        bytes(value & 0xFF for value in row[word : word + 8]) for word in range(0, inputs, 8) for row in rows
    )
    pairs = [*zip(bias, multiplier, strict=True), *[(0, 1)] * (8 - outputs)]
    parameters = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for pair in pairs for number in pair)
    parts = ImageParts(
        steps=[hardware(1, 2)], inputs=[frame_input(inputs)], outputs=[{"base": 1024, "bytes": outputs}],
        computes=[{}], loads=[{}, {}], payload=weight_bytes + parameters,
    )  # fmt: skip
    at = parts.payload_offset
    magic = {"magic": m.MAGIC_DESCRIPTOR}
    parts.loads = [
        {**magic, "opcode": m.LOAD_OPCODE["WEIGHTS"], "ext_addr": at, "ext_words": len(weight_bytes) // 4,
         "crc32": zlib.crc32(weight_bytes)},
        {**magic, "opcode": m.LOAD_OPCODE["PARAMETERS"], "ext_addr": at + len(weight_bytes),
         "ext_words": len(parameters) // 4, "crc32": zlib.crc32(parameters)},
    ]  # fmt: skip
    one = dict.fromkeys(("in_h", "out_h", "out_w", "groups", "kh", "kx_n", "stride_y", "dil_y"), 1)
    parts.computes = [
        {**magic, "opcode": m.OPCODE["CONV"], "in_signed": 1, "after_load": 2, "in_row_bytes": inputs, **one,
         "run_n": inputs // 8, "last_count": outputs, "out_base": 1024, "out_row_bytes": 8, "out_pix_bytes": 8,
         "shift": shift, "lo": -128, "hi": 127}
    ]  # fmt: skip
    return parts


def dense_answer(parts_input: Sequence[int], weights: Sequence[Sequence[int]], bias: Sequence[int],
                 multiplier: Sequence[int], shift: int) -> bytes:  # fmt: skip
    """What `dense` computes, by docs/numbers.md."""
    answer = []
    for row, b, factor in zip(weights, bias, multiplier, strict=True):
        acc = b + sum(w * x for w, x in zip(row, parts_input, strict=True))
        answer.append(max(-128, min(127, (acc * factor + (1 << (shift - 1))) >> shift)))
    return bytes(value & 0xFF for value in answer)
