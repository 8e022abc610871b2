"""Clocks of the modules that compute: matrix-vector unit, lanes, ending."""

from __future__ import annotations

from collections.abc import Mapping

from tinsmith_backends.rtl.clock_models.model import Flags, Ports


class Ending:
    """tsm_ending."""

    def __init__(self, p: Mapping[str, int], ports: Ports) -> None:
        self.s, self.m, self.idle = ports["s"], ports["m"], False
        self.first = False

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        second = not valid[self.m] or ready[self.m]
        step = not self.first or second
        ready[self.s] = step
        if second:
            valid[self.m] = self.first
        if step:
            self.first = valid[self.s]
        self.idle = not self.first and not valid[self.m]


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
        self.first, self.first_ends, self.second, self.second_ends = False, False, False, False

    def clock(self, valid: Flags, ready: Flags) -> None:
        """See `Model`."""
        step = not valid[self.m] or ready[self.m] or not self.second
        first_pass = self.at < self.inputs
        ready[self.s] = step and (self.at == self.all - 1 if self.hold else first_pass)
        if ready[self.m]:
            valid[self.m] = False
        if not step:
            return
        if self.second:
            valid[self.m] = self.second_ends
        self.second, self.second_ends = self.first, self.first_ends
        self.first = valid[self.s] or not (self.hold or first_pass)
        if self.first:
            self.at += 1
            self.first_ends = self.at % self.inputs == 0
            if self.at == self.all:
                self.at = 0
        self.idle = not (self.first or self.second or valid[self.m])
