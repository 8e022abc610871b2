"""The chip that a network is compiled for: its parameters, what each means, and which of them can be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tinsmith.errors import Problems
from tinsmith.settings import Setting, one_of, positive

from tinsmith_backends.soc.firmware import FIRMWARE_BYTES, RAM_BYTES
from tinsmith_backends.soc.memory_map import KIND, OPS, identity

OPERATORS = tuple(name.lower() for name, _, _ in OPS.entries)
"""Operators that a chip can be built without."""
KINDS = MULTIPLY, SHIFT, XNOR = tuple(name.lower() for name, _, _ in KIND.entries)
"""What a lane of an element does with an input and a weight."""


def _without(value: str) -> str | None:
    wrong = [name for name in filter(None, value.split("+")) if name not in OPERATORS]
    return f"it is any of {', '.join(OPERATORS)}, joined by +" if wrong else None


SETTINGS = (
    Setting("kind", "arithmetic of a lane: int8 products, shifts by weights of powers of two, or XNOR of eight bits",
            MULTIPLY, one_of(*KINDS)),
    Setting("pes", "processing elements: output channels at once", "8", positive),
    Setting("lanes", "lanes of an element: bytes of input at once", "8", positive),
    Setting("rqs", "requantizers", "4", positive),
    Setting("act_bytes", "bytes of activation memory", "65536", positive),
    Setting("wgt_words", "words of weight memory in each element; a word has as many bytes as an element lanes", "1024",
            positive),
    Setting("par_words", "words of parameter memory in each element: a bias and a multiplier each", "256", positive),
    Setting("desc_words", "32-bit words of descriptor memory", "2048", positive),
    Setting("ram_bytes", "bytes of the processor's memory: firmware, descriptors and tables", str(RAM_BYTES), positive),
    Setting("without", "operators left out of the chip: add, maxpool, history, table, joined by +", "", _without),
)  # fmt: skip
_BOUNDS = {
    "pes": (4, 32),
    "lanes": (4, 16),
    "rqs": (1, 32),
    "act_bytes": (1024, 1 << 20),
    "wgt_words": (16, 1 << 16),
    "par_words": (16, 1 << 12),
    "desc_words": (64, 1 << 14),
    "ram_bytes": (RAM_BYTES, 1 << 20),
}


@dataclass(frozen=True)
class Chip:
    """Parameters of the accelerator, as the settings of the target name them.

    Attributes:
        without: operators that the chip lacks, of `OPERATORS`.
        kind: one of `KINDS`.
    """

    pes: int = 8
    lanes: int = 8
    rqs: int = 4
    act_bytes: int = 65536
    wgt_words: int = 1024
    par_words: int = 256
    desc_words: int = 2048
    ram_bytes: int = RAM_BYTES
    without: frozenset[str] = frozenset()
    kind: str = MULTIPLY

    @staticmethod
    def of(values: Mapping[str, str]) -> Chip:
        """From settings; raises `TinsmithError` with every rule that the parameters break."""
        numbers = {key: int(values[key]) for key in _BOUNDS}
        problems = Problems()
        for key, value in numbers.items():
            least, largest = _BOUNDS[key]
            if value & (value - 1) or not least <= value <= largest:
                why = f"it is a power of two from {least} to {largest}"
                near = min(max(1 << (value - 1).bit_length(), least), largest)
                problems.add(f"{key} cannot be {value}", where="--set", why=why, fix=f"--set {key}={near}")
        if numbers["rqs"] > numbers["pes"]:
            why = "the requantizers share the elements evenly, so that rqs divides pes"
            fix = f"--set rqs={numbers['pes']}"
            problems.add(f"rqs cannot be {numbers['rqs']}", where="--set", why=why, fix=fix)
        for key in ("pes", "lanes"):
            if values["kind"] == XNOR and numbers[key] < 8:
                why = "the thresholds of eight elements make a byte"
                problems.add(
                    f"{key} cannot be {numbers[key]} with kind={XNOR}", where="--set", why=why, fix=f"--set {key}=8"
                )
        problems.check()
        return Chip(**numbers, without=frozenset(filter(None, values["without"].split("+"))), kind=values["kind"])

    @property
    def vector(self) -> int:
        """Channels of a group where an element works on a byte of its own: what one read brings."""
        return min(self.pes, self.lanes)

    @property
    def wide_results(self) -> int:
        """Requantized values of 16 bits that are written in a clock: as many as fit through the write port."""
        return min(self.rqs, max(self.rqs, 4) // 2)

    @property
    def macs(self) -> int:
        """Multiply-accumulates a clock."""
        return self.pes * self.lanes * (8 if self.kind == XNOR else 1)

    @property
    def table_bytes(self) -> int:
        """Room for the tables of an image in the processor's memory."""
        return self.ram_bytes - FIRMWARE_BYTES

    @property
    def word_bytes(self) -> int:
        """Bytes of one weight word of all elements."""
        return self.pes * self.lanes

    def has(self, operator: str) -> bool:
        """Whether the hardware does one of `OPERATORS`; a history of columns is of no use for bits."""
        return operator not in self.without and not (operator == "history" and self.kind == XNOR)

    @cached_property
    def parameters(self) -> dict[str, int]:
        """The accelerator's parameters by their names in the RTL."""
        ops = sum(OPS[name.upper()] for name in OPERATORS if self.has(name))
        names = ("pes", "lanes", "rqs", "act_bytes", "wgt_words", "par_words", "desc_words")
        return {**{name.upper(): getattr(self, name) for name in names}, "KIND": KIND[self.kind.upper()], "OPS": ops}

    @property
    def identity(self) -> int:
        """The word that images for this chip carry."""
        return identity(*self.parameters.values())
