"""FPGA families that Yosys maps to, and what each of their cells takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tinsmith.errors import TinsmithError


@dataclass(frozen=True)
class Resources:
    """What a design takes.

    Attributes:
        lut: look-up tables, those of carry chains and of small memories included; of 4 inputs, on xc7 of 6.
        ff: flip-flops.
        dsp: multiplier blocks (18 x 18 on ecp5, 25 x 18 on xc7, 16 x 16 on ice40).
        bram: block memories (18 kbit on ecp5 and xc7, 4 kbit on ice40).
    """

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram)


@dataclass(frozen=True)
class Family:
    """How to map to a family.

    Attributes:
        name: as `--synth` takes it.
        command: Yosys' synthesis command.
        cells: what one cell of a type takes; a name that ends in * stands for every type that begins so.
    """

    name: str
    command: str
    cells: Mapping[str, Resources]

    def count(self, cells: Mapping[str, int]) -> Resources:
        """What cells take together, from their numbers by type; types that no table names are free (buffers, muxes)."""
        total = Resources()
        for kind, number in cells.items():
            one = self._cell(kind)
            total += Resources(one.lut * number, one.ff * number, one.dsp * number, one.bram * number)
        return total

    def _cell(self, kind: str) -> Resources:
        if kind in self.cells:
            return self.cells[kind]
        prefixes = [name[:-1] for name in self.cells if name.endswith("*") and kind.startswith(name[:-1])]
        return self.cells[max(prefixes, key=len) + "*"] if prefixes else Resources()


def _lut(count: int) -> Resources:
    return Resources(lut=count)


_ECP5 = Family(
    "ecp5",
    "synth_ecp5",
    MappingProxyType(
        {
            "LUT4": _lut(1),
            "CCU2C": _lut(2),
            "TRELLIS_DPR16X4": _lut(6),  # four that hold the bits, and two whose place the write port takes
            "TRELLIS_FF": Resources(ff=1),
            "MULT18X18D": Resources(dsp=1),
            "DP16KD": Resources(bram=1),
            "PDPW16KD": Resources(bram=1),
        }
    ),
)
_XC7 = Family(
    "xc7",
    "synth_xilinx -family xc7 -noiopad -noclkbuf",
    MappingProxyType(
        {
            "LUT*": _lut(1),
            "INV": _lut(1),
            "SRL*": _lut(1),
            "RAM32X1D": _lut(2),
            "RAM64X1D": _lut(2),
            "RAM128X1D": _lut(4),
            "RAM32M": _lut(4),
            "RAM64M": _lut(4),
            "FD*": Resources(ff=1),
            "DSP48E1": Resources(dsp=1),
            "RAMB18E1": Resources(bram=1),
            "RAMB36E1": Resources(bram=2),
        }
    ),
)
_ICE40 = Family(
    "ice40",
    "synth_ice40 -device u -dsp",
    MappingProxyType(
        {
            "SB_LUT4": _lut(1),
            "SB_DFF*": Resources(ff=1),
            "SB_MAC16": Resources(dsp=1),
            "SB_RAM40_4K*": Resources(bram=1),
        }
    ),
)
FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in (_ECP5, _XC7, _ICE40)})
"""By name."""


def family(name: str) -> Family:
    """The family called `name`; raises `TinsmithError` with the names that there are."""
    if name not in FAMILIES:
        raise TinsmithError(f"no FPGA family is called {name!r}", where="--synth", fix=", ".join(FAMILIES))
    return FAMILIES[name]
