"""What the memory map is made of: fields of bits in records of 32-bit words, registers in blocks, numbered choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinsmith.errors import Problems


@dataclass(frozen=True)
class Field:
    """Bits `low` to `low + width - 1` of 32-bit word `word` of a record.

    Attributes:
        signed: the bits are two's complement.
        meaning: what the bits say, and their unit.
    """

    name: str
    word: int
    low: int
    width: int
    meaning: str
    signed: bool = False

    @property
    def bit(self) -> int:
        """Where the field begins in the record taken as one vector of bits."""
        return 32 * self.word + self.low

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest value that fits."""
        half = 1 << (self.width - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)


@dataclass(frozen=True)
class Record:
    """A run of 32-bit words in memory, little-endian; bits that no field names are 0."""

    name: str
    words: int
    meaning: str
    fields: tuple[Field, ...]

    def pack(self, values: Mapping[str, int]) -> list[int]:
        """The words of the record with these values; fields that are not given are 0.

        Raises:
            TinsmithError: with every value that no field takes or that does not fit its field.
        """
        problems = Problems()
        known = {field.name: field for field in self.fields}
        words = [0] * self.words
        for name, value in values.items():
            field = known.get(name)
            if field is None:
                problems.add(f"{name} is no field of a {self.name} record", fix=f"one of {', '.join(known)}")
                continue
            least, largest = field.limits
            if not least <= value <= largest:
                why = f"its {field.width} bits hold {least} to {largest}"
                problems.add(f"{name} is {value}", where=f"{self.name} record", why=why)
                continue
            words[field.word] |= (int(value) & ((1 << field.width) - 1)) << field.low
        problems.check()
        return words

    def unpack(self, words: Sequence[int]) -> dict[str, int]:
        """The value of every field in these words."""
        found = {}
        for field in self.fields:
            value = (int(words[field.word]) >> field.low) & ((1 << field.width) - 1)
            found[field.name] = value - (1 << field.width) if value > field.limits[1] else value
        return found


@dataclass(frozen=True)
class Register:
    """A 32-bit register at byte `offset` of its block.

    Attributes:
        access: `r` read only, `rw`, `w` write only (reads 0), `w1c` read, and write 1 to clear.
        bits: the fields inside, where the register is not one number.
    """

    name: str
    offset: int
    access: str
    meaning: str
    bits: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Block:
    """Registers or memory at `base` in the processor's address space."""

    name: str
    base: int
    size: int
    meaning: str
    registers: tuple[Register, ...] = ()


@dataclass(frozen=True)
class Choices:
    """Named numbers: (name, value, meaning)."""

    name: str
    meaning: str
    entries: tuple[tuple[str, int, str], ...]

    def __getitem__(self, name: str) -> int:
        return next(value for entry, value, _ in self.entries if entry == name)

    def name_of(self, value: int) -> str:
        """The name of a value, or its number where it has none."""
        return next((entry for entry, number, _ in self.entries if number == value), str(value))
