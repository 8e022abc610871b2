"""Clocks of the modules that compute: matrix-vector unit, lanes, ending."""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith_backends.rtl.clock_models.model import Flags, Ports

BITS_TOGETHER = 4
"""Bits that tsm_mvu counts before it sums."""


class Ending:
    """tsm_ending."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        clocks = 1 if p.get("MULTIPLIER", 1) else (p["FACTOR_W"] - 1).bit_length()
        self.products = [False] * clocks
        """Whether a word is in each register of the product."""

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        second = not valid[self.m] or ready[self.m]
        step = not self.products[-1] or second
        ready[self.s] = step
        if second:
            valid[self.m] = self.products[-1]
        if step:
            self.products = [valid[self.s], *self.products[:-1]]
        self.idle = not any(self.products) and not valid[self.m]


class Lanes:
    """tsm_lanes."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        steps, folds = p["TAPS"] // p["PARALLEL"], p["FOLDS"]
        self.words = steps * folds
        inner = folds if p["PIXELS_OUTER"] else 1
        self.gives = [word // inner % steps == steps - 1 for word in range(self.words)]
        self.word = 0
        self.first = self.second = False  # a word that completes a result is in this stage

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        step = not valid[self.m] or ready[self.m] or not self.second
        ready[self.s] = step
        if ready[self.m]:
            valid[self.m] = False
        if not step:
            return
        if self.second:
            valid[self.m] = True
        self.second, self.first = self.first, False
        if valid[self.s]:
            self.first = self.gives[self.word]
            self.word = (self.word + 1) % self.words
        self.idle = not (self.first or self.second or valid[self.m])


class Mvu:
    """tsm_mvu."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.inputs, self.all = p["INPUT_FOLDS"], p["INPUT_FOLDS"] * p["OUTPUT_FOLDS"]
        self.hold = bool(p["HOLD"])
        self.at = 0
        self.ends: list[bool | None] = [None] * stages(p)
        """Of the word in each stage: whether it is the last of a vector; None is no word."""

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        last = self.ends[-1]
        step = not valid[self.m] or ready[self.m] or last is None
        first_pass = self.at < self.inputs
        ready[self.s] = step and (self.at == self.all - 1 if self.hold else first_pass)
        if ready[self.m]:
            valid[self.m] = False
        if not step:
            return
        if last is not None:
            valid[self.m] = last
        ends: bool | None = None
        if valid[self.s] or not (self.hold or first_pass):
            self.at += 1
            ends = self.at % self.inputs == 0
            if self.at == self.all:
                self.at = 0
        self.ends = [ends, *self.ends[:-1]]
        self.idle = not valid[self.m] and all(one is None for one in self.ends)


def stages(p: Mapping[str, int]) -> int:
    """Registers of tsm_mvu in front of its accumulators: a word, its products, each level of their sum."""
    return 2 + (terms(p) - 1).bit_length()


def terms(p: Mapping[str, int]) -> int:
    """Numbers that an output of tsm_mvu sums in a clock: its products, of bits so many together."""
    return -(-p["SIMD"] // (BITS_TOGETHER if p["KIND"] == 2 else 1))
