"""Fixed-point types as hls4ml spells them, and the least type that holds a range of integers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fixed:
    """`fixed<width, integer>`: `integer` bits before the point, the rest behind it, two's complement if signed.

    Without `saturate` a value that does not fit loses its high bits; with it, it is rounded half up and clamped, which
    is what the exact graph's requantization does (docs/numbers.md).
    """

    width: int
    integer: int
    signed: bool = True
    saturate: bool = False

    def __str__(self) -> str:
        mode = ",RND,SAT" if self.saturate else ""
        return f"{'' if self.signed else 'u'}fixed<{self.width},{self.integer}{mode}>"

    @property
    def limits(self) -> tuple[int, int]:
        """Least and greatest value; whole numbers, of a type without fraction bits."""
        if self.width != self.integer:
            raise ValueError(f"{self} has fraction bits")
        return (-(1 << self.width - 1), (1 << self.width - 1) - 1) if self.signed else (0, (1 << self.width) - 1)


def integers(lo: int, hi: int, *, signed: bool | None = None) -> Fixed:
    """The least type that holds every integer of [lo, hi]; signed where lo is negative, or on demand."""
    negative = lo < 0 if signed is None else signed
    bits = max(hi.bit_length(), (-lo - 1).bit_length() if lo < 0 else 0) + negative
    return Fixed(max(bits, 2 if negative else 1), max(bits, 2 if negative else 1), negative)


def with_fraction(lo: int, hi: int, fraction: int) -> Fixed:
    """The least signed type that holds every multiple of 2**-fraction in [lo, hi]."""
    whole = integers(lo, hi, signed=True)
    return Fixed(whole.width + fraction, whole.integer, True)
