"""Which engine does a layer, and how far it is folded: the least area that keeps an interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tinsmith.errors import Problems

MATRIX_VECTOR = "mvu"
"""Products of `pe` outputs by `simd` inputs a clock, weights in ROM."""
ADDERS = "adders"
"""A graph of adders for constant weights: a whole window and all outputs a clock, no multiplier (adder/)."""
LANES = "lanes"
"""Channels side by side: pools and depthwise convolution."""
KINDS = (MATRIX_VECTOR, ADDERS, LANES)


@dataclass(frozen=True)
class Pins:
    """What the user asks of engines: values by key, of `kind`, `pe` and `simd`.

    Attributes:
        layers: of single layers, which must have such an engine.
        everywhere: of every layer that has such an engine.
    """

    layers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    everywhere: Mapping[str, str] = field(default_factory=dict)

    def of(self, layer: str) -> Pins:
        """What concerns one layer."""
        return Pins({layer: self.layers.get(layer, {})}, self.everywhere)

    def fitting(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Those of a layer's candidates that are asked for."""
        (pinned,) = self.layers.values()
        kept = [one for one in found if all(one.facts[key] == value for key, value in pinned.items())]
        for key, value in self.everywhere.items():
            if key not in pinned:
                kept = [one for one in kept if one.facts[key] == value] or kept
        return kept


@dataclass(frozen=True)
class Folding:
    """`pe` outputs by `lanes` channels of `taps` pixels under a window, a clock."""

    pe: int
    lanes: int
    taps: int = 1

    @property
    def simd(self) -> int:
        """Inputs a clock."""
        return self.lanes * self.taps


@dataclass(frozen=True)
class Work:
    """What an engine does in one inference.

    Attributes:
        pixels: output positions.
        taps: positions under a window.
        inputs: channels in; `Folding.lanes` divides it.
        outputs: channels out; 1 where lanes are `side_by_side`.
        pixels_in: pixels of the image that comes in.
        columns: columns that a former of whole windows reads; 0 where it cannot be used.
        product_luts: of one product and its addition, or of what stands for it.
        input_bits: of an input.
        output_luts: of one output: its accumulator and what ends it.
        side_by_side: whether each lane is an output of its own.
    """

    pixels: int
    taps: int
    inputs: int
    outputs: int
    pixels_in: int
    columns: int
    product_luts: float
    input_bits: int
    output_luts: float
    side_by_side: bool = False

    def cycles(self, folding: Folding) -> int:
        """Clocks an inference: of the products, of the words that come in, of the window former."""
        words = self.inputs // folding.lanes
        products = self.pixels * (self.taps // folding.taps) * words * (self.outputs // folding.pe)
        return max(products, self.pixels_in * words, self.columns * words if folding.taps > 1 else 0)

    def luts(self, folding: Folding) -> float:
        """Area in 4-input LUTs, roughly: products, accumulators, registers and multiplexers of the inputs.

        The matrix itself is left out: its bits are the same however the layer is folded.
        """
        inputs = folding.simd * self.input_bits + (self.taps * self.inputs if folding.taps > 1 else 0) * self.input_bits
        outputs = folding.lanes if self.side_by_side else folding.pe
        return folding.pe * folding.simd * self.product_luts + outputs * self.output_luts + inputs

    def foldings(self) -> Iterator[Folding]:
        """Every folding, none of which leaves a lane idle."""
        taps = (1, self.taps) if self.columns and self.taps > 1 else (1,)
        for pe in divisors(self.outputs):
            for lanes in divisors(self.inputs):
                for together in taps:
                    yield Folding(pe, lanes, together)


@dataclass(frozen=True)
class Candidate:
    """One way to do a layer.

    Attributes:
        kind: of engine.
        folding: how much of the layer it does a clock.
        cycles: clocks an inference.
        luts: estimated area.
    """

    kind: str
    folding: Folding
    cycles: int
    luts: float

    @property
    def facts(self) -> dict[str, str]:
        """What can be pinned."""
        return {"kind": self.kind, "pe": str(self.folding.pe), "simd": str(self.folding.simd)}


@dataclass(frozen=True)
class Choice:
    """What was chosen for a layer, and among what."""

    chosen: Candidate
    every: tuple[Candidate, ...]

    @property
    def faster(self) -> Candidate | None:
        """The next that takes fewer clocks, of least area."""
        found = [one for one in self.every if one.cycles < self.chosen.cycles]
        return min(found, key=lambda one: (-one.cycles, one.luts), default=None)

    @property
    def slower(self) -> Candidate | None:
        """The next that takes more clocks and less area."""
        found = [one for one in self.every if one.cycles > self.chosen.cycles and one.luts < self.chosen.luts]
        return min(found, key=lambda one: (one.cycles, one.luts), default=None)


def candidates(kind: str, work: Work) -> Iterator[Candidate]:
    """Every folding of an engine."""
    for folding in work.foldings():
        yield Candidate(kind, folding, work.cycles(folding), work.luts(folding))


def choose(found: Iterable[Candidate], interval: int, problems: Problems, where: str, pins: Pins) -> Candidate:
    """The candidate of least area within `interval` clocks; among equals, the one with fewer outputs a clock.

    Args:
        found: what there is.
        interval: clocks that it may take.
        problems: gets an interval that even the fastest misses, and pins that nothing fits.
        where: the layer, for problems.
        pins: of this layer (`Pins.of`).
    """
    every = list(found)
    fitting = pins.fitting(every)
    (pinned,) = pins.layers.values()
    if not fitting:
        asked = ", ".join(f"{key} = {value}" for key, value in pinned.items())
        shapes = sorted({(one.kind, one.folding.pe, one.folding.simd) for one in every})
        some = "; ".join(f"kind {kind}, pe {pe}, simd {simd}" for kind, pe, simd in shapes[:: len(shapes) // 6 + 1])
        problems.add(f"no engine has {asked}", where=where, why="lanes divide channels", fix=f"for instance {some}")
        return every[0]
    quick = [one for one in fitting if one.cycles <= interval]
    if quick:
        return min(quick, key=lambda one: (one.luts, one.folding.pe))
    fastest = min(fitting, key=lambda one: (one.cycles, one.luts))
    problems.add(
        f"an interval of {interval} clocks cannot be met",
        where=where,
        why=f"the fastest folding of this layer takes {fastest.cycles} clocks",
        fix=f"--interval {fastest.cycles} or more" + (", or another pin" if pinned else ""),
    )
    return fastest


def divisors(n: int) -> list[int]:
    """All of them, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]
