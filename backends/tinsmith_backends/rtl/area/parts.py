"""Memories and multipliers of a block, and what a family makes of them: Yosys' own rules, so these are not fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Memory:
    """`depth` words of `width` bits.

    Attributes:
        written: whether it is written at all; what is not is a ROM.
        registered: whether its output is a register, as block memories have it.
    """

    width: int
    depth: int
    written: bool
    registered: bool

    @property
    def bits(self) -> int:
        """All of them."""
        return self.width * self.depth


@dataclass(frozen=True)
class Product:
    """`count` multipliers of signed numbers of `a` and `b` bits."""

    count: int
    a: int
    b: int


@dataclass(frozen=True)
class Mapped:
    """What a memory becomes: block memories, look-up tables that hold bits, bits in logic, bits to choose from."""

    bram: int = 0
    lut_cells: int = 0
    logic_bits: int = 0
    chosen: int = 0


@dataclass(frozen=True)
class Rules:
    """How Yosys maps the memories and multipliers of a family (its memory_libmap and mul2dsp tables).

    Attributes:
        blocks: widths of a block memory and how many words it has then.
        block_cost: of a block memory, in memory_libmap's measure, in which a bit of RAM in logic is 1.
        rom_cost: of a bit of ROM in logic.
        cells: shapes of a small memory of look-up tables: (words, bits, look-up tables).
        cell_cost: of such a memory.
        choice_cost: of a bit that one of two such memories is chosen for; from trials of Yosys 0.70 on ECP5.
        dsp: widest operands of a multiplier block.
        step: bits of a wider operand that a block takes but the last: one fewer where blocks know signed numbers alone.
        least: fewest bits of a product that is worth one.
    """

    blocks: tuple[tuple[int, int], ...]
    block_cost: float
    rom_cost: float
    cells: tuple[tuple[int, int, int], ...]
    cell_cost: float
    choice_cost: float
    dsp: tuple[int, int]
    step: int
    least: int

    def memory(self, memory: Memory) -> Mapped:
        """The cheapest form of a memory."""
        blocks = min(_parts(memory.width, width) * _parts(memory.depth, depth) for width, depth in self.blocks)
        as_blocks = blocks * self.block_cost if memory.registered else float("inf")
        if not memory.written:
            in_logic = memory.bits * self.rom_cost
            return Mapped(bram=blocks) if as_blocks < in_logic else Mapped(logic_bits=memory.bits)
        words, width, luts = min(
            self.cells, key=lambda cell: _parts(memory.depth, cell[0]) * _parts(memory.width, cell[1])
        )
        cells = _parts(memory.depth, words) * _parts(memory.width, width)
        chosen = (_parts(memory.depth, words) - 1) * memory.width
        as_cells = cells * self.cell_cost + chosen * self.choice_cost
        if memory.bits <= min(as_cells, as_blocks):
            return Mapped(logic_bits=memory.bits, chosen=memory.bits)
        if as_blocks < as_cells:
            return Mapped(bram=blocks)
        return Mapped(lut_cells=cells * luts, chosen=chosen)

    def dsps(self, product: Product) -> int:
        """Multiplier blocks of products; 0 where they are logic, as each product by one bit is."""
        if product.a + product.b < self.least:
            return 0
        wide, narrow = self._slices(product)
        return product.count * sum(part > 1 for part in wide) * sum(part > 1 for part in narrow)

    def sums(self, product: Product) -> int:
        """Bits of the adders of products that are made of several: operands that are too wide for a block are cut."""
        wide, narrow = self._slices(product)
        return product.count * (product.a + product.b) * (len(wide) * len(narrow) - 1)

    def _slices(self, product: Product) -> tuple[list[int], list[int]]:
        """Bits of the parts of the wider operand and of the narrower."""
        wide, narrow = sorted((product.a, product.b), reverse=True)
        return self._cut(wide, max(self.dsp)), self._cut(narrow, min(self.dsp))

    def _cut(self, bits: int, widest: int) -> list[int]:
        more = max(_parts(bits - widest, self.step), 0)
        return [self.step] * more + [bits - more * self.step]


def _parts(whole: int, part: int) -> int:
    return -(-whole // part)


_KILOBITS = tuple((width, 16384 // (width if width < 9 else width * 8 // 9)) for width in (1, 2, 4, 9, 18, 36))
RULES: Mapping[str, Rules] = MappingProxyType(
    {
        "ecp5": Rules(_KILOBITS, 128, 1 / 16, ((16, 4, 6),), 4, 0.4, (18, 18), 18, 0),
        "xc7": Rules(_KILOBITS, 129, 1 / 64, ((32, 6, 4), (64, 3, 4)), 8, 0.4, (25, 18), 17, 9),
    }
)
"""By family."""
