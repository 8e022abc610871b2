"""Constants of a program in one struct: its members, their offsets, and the bytes that must stand there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinsmith_backends.cpu.program import Program
from tinsmith_backends.identifiers import unique

ALIGNMENT = 16
"""Kernels load weights and multipliers in whole vectors."""
DTYPES = {"int8_t": "<i1", "int16_t": "<i2", "int32_t": "<i4", "uint32_t": "<u4"}
"""numpy's names of element types."""
CTYPES = {"weight": "int8_t", "limit": "int8_t", "factor": "int8_t", "results": "int8_t", "flip": "uint32_t"}
"""Element types of the kinds of constants that are not int32_t."""


@dataclass(frozen=True)
class Constant:
    """One member of the struct.

    Attributes:
        key: `layer/kind`, as verify and reports name it.
        member: its name in C.
        ctype: element type in C.
        offset: bytes from the start of the struct.
        data: its bytes, little-endian.
    """

    key: str
    member: str
    ctype: str
    offset: int
    data: bytes

    @property
    def count(self) -> int:
        """Elements."""
        return len(self.data) // np.dtype(DTYPES[self.ctype]).itemsize


def constants(program: Program) -> tuple[Constant, ...]:
    """Every constant of the program in the order of its steps, each aligned to 16 bytes."""
    found = [(step.layer, kind, data) for step in program.steps for kind, data in step.constants.items()]
    members = unique([f"{layer}_{kind}" for layer, kind, _ in found])
    result: list[Constant] = []
    offset = 0
    for (layer, kind, data), member in zip(found, members, strict=True):
        result.append(Constant(f"{layer}/{kind}", member, CTYPES.get(kind, "int32_t"), offset, data))
        offset += (len(data) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    return tuple(result)


def struct_bytes(members: Sequence[Constant]) -> int:
    """Size of the struct, padding included."""
    if not members:
        return 0
    last = members[-1]
    return last.offset + (len(last.data) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def by_key(members: Sequence[Constant]) -> Mapping[str, bytes]:
    """What `Runner.constants` must return."""
    return {constant.key: constant.data for constant in members}
